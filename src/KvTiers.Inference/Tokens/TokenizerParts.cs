namespace KvTiers.Inference.Tokens;

/// <summary>What a tokenizer is made of, as read from its files.</summary>
internal sealed record TokenizerParts
{
    /// <summary>[vocabulary] Tokens as written in the file; <c>null</c> where an id has none.</summary>
    public required string?[] Texts { get; init; }

    /// <summary>[vocabulary] The bytes each token stands for.</summary>
    public required byte[][] Bytes { get; init; }

    /// <summary>[vocabulary] Control tokens.</summary>
    public required bool[] Special { get; init; }

    public required BytePairModel Model { get; init; }

    public required IReadOnlyList<AddedToken> AddedTokens { get; init; }

    public required IReadOnlyList<PreTokenizerStage> Stages { get; init; }

    /// <summary>Normalization form C.</summary>
    public required bool ComposeCanonically { get; init; }

    /// <summary>Ids that the post-processor puts before a text.</summary>
    public required IReadOnlyList<int> Prefix { get; init; }

    /// <summary>Ids that the post-processor puts after a text.</summary>
    public required IReadOnlyList<int> Suffix { get; init; }

    public required IReadOnlyList<byte> MissingBytes { get; init; }

    public required int? BeginOfText { get; init; }

    public required IReadOnlyList<int> EndOfText { get; init; }
}
