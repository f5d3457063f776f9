namespace KvTiers.Silo.Anthropic;

/// <summary>Body of <c>POST /v1/messages</c>.</summary>
internal sealed record MessagesRequest : PromptParameters
{
    /// <summary>Most tokens to generate; 0 computes the prompt alone.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>Strings that end the answer.</summary>
    public IReadOnlyList<string>? StopSequences { get; init; }

    /// <summary>0 = the likeliest token always; up to 1.</summary>
    public double? Temperature { get; init; }

    /// <summary>Share of probability that is drawn from.</summary>
    public double? TopP { get; init; }

    /// <summary>How many of the likeliest tokens are drawn from; 0 = all.</summary>
    public int? TopK { get; init; }

    /// <summary>Whether the answer is sent piece by piece.</summary>
    public bool? Stream { get; init; }
}
