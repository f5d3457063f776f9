namespace KvTiers.Conversations;

/// <summary>How an answer is generated. Null = the host's default.</summary>
public sealed record GenerationOptions
{
    /// <summary>Most tokens to generate, at least 1.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>0 = greedy; otherwise logits are divided by it. 0 to 2.</summary>
    public double? Temperature { get; init; }

    /// <summary>Smallest set of tokens whose probability reaches this share. Above 0, at most 1.</summary>
    public double? TopP { get; init; }

    /// <summary>Drops tokens below this share of the likeliest one's probability. 0 to 1.</summary>
    public double? MinP { get; init; }

    /// <summary>Divides the logits of tokens already present. Above 0; 1 = off.</summary>
    public double? RepetitionPenalty { get; init; }

    /// <summary>Subtracted once from the logits of tokens already generated. −2 to 2.</summary>
    public double? PresencePenalty { get; init; }

    /// <summary>Subtracted per occurrence from the logits of tokens already generated. −2 to 2.</summary>
    public double? FrequencyPenalty { get; init; }

    /// <summary>Keeps the k likeliest tokens; 0 = all.</summary>
    public int? TopK { get; init; }

    /// <summary>What is added to the logits of single tokens, −100 to 100 each.</summary>
    public IReadOnlyList<LogitBias>? LogitBias { get; init; }

    /// <summary>Seed of the draw. The same seed, prompt and options give the same answer. Null = a fresh one per turn.</summary>
    public long? Seed { get; init; }

    /// <summary>Strings that end the answer; they are not part of it, unless <see cref="IncludeStop"/>.</summary>
    public IReadOnlyList<string>? Stop { get; init; }

    /// <summary>Tokens that end the answer beside the model's own; their text is not part of it, unless <see cref="IncludeStop"/>.</summary>
    public IReadOnlyList<int>? StopTokenIds { get; init; }

    /// <summary>True makes what ended the answer its end.</summary>
    public bool? IncludeStop { get; init; }

    /// <summary>True goes on past the model's end-of-text tokens.</summary>
    public bool? IgnoreEndOfText { get; init; }

    /// <summary>Tokens that the answer has at least; 0 to <see cref="MaxTokens"/>.</summary>
    public int? MinTokens { get; init; }

    /// <summary>Text that the answer never holds.</summary>
    public IReadOnlyList<string>? BadWords { get; init; }

    /// <summary>How many alternatives to report beside each token; null = no log probabilities.</summary>
    public int? TopLogProbs { get; init; }

    /// <summary>The functions that the answer may call; null = none. Their text is part of the prompt.</summary>
    public ToolUse? Tools { get; init; }

    /// <summary>What the answer must look like; null = anything.</summary>
    public AnswerFormat? Format { get; init; }

    /// <summary>False computes the whole prompt anew, for comparison.</summary>
    public bool UseCache { get; init; } = true;
}
