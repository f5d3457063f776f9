using KvTiers.Inference.Constraints;
using KvTiers.Inference.Model;

namespace KvTiers.Inference.Scheduling;

/// <summary>What the engine is asked to continue, and how.</summary>
public sealed record GenerationRequest
{
    /// <summary>Most choices of one request.</summary>
    public const int MaxChoices = 128;

    /// <summary>Most stop strings of one request.</summary>
    public const int MaxStopStrings = 64;

    /// <summary>Most stop tokens of one request.</summary>
    public const int MaxStopTokens = 1024;

    /// <summary>Most bad words of one request.</summary>
    public const int MaxBadWords = 64;

    /// <summary>Longest bad word in characters.</summary>
    public const int MaxBadWordLength = 256;

    /// <summary>Token ids to continue; at least one. Copied when submitted.</summary>
    public required ReadOnlyMemory<int> Prompt { get; init; }

    /// <summary>How tokens are chosen. Default: drawn at temperature 1.</summary>
    public SamplingOptions Sampling { get; init; } = new();

    /// <summary>Most tokens generated per choice; 0 or more. 0 computes the prompt (and leaves it in the cache) and nothing else. The context length may end a choice earlier.</summary>
    public int MaxNewTokens { get; init; } = 256;

    /// <summary>Text that ends a choice. The text before it is delivered, the stop string itself is not, unless <see cref="IncludeStop"/>.</summary>
    public IReadOnlyList<string> StopStrings { get; init; } = [];

    /// <summary>True makes the stop string, or the stop token's text, the end of the text; else neither is part of it.</summary>
    public bool IncludeStop { get; init; }

    /// <summary>True goes on past the model's end-of-text tokens.</summary>
    public bool IgnoreEndOfText { get; init; }

    /// <summary>Tokens that end a choice beside the model's own. Whatever they are, their text is not part of it.</summary>
    public IReadOnlyList<int> StopTokenIds { get; init; } = [];

    /// <summary>Tokens that a choice has at least, 0 to <see cref="MaxNewTokens"/>: until then no token ends it, and no stop string is looked for. The context length may end it earlier.</summary>
    public int MinNewTokens { get; init; }

    /// <summary>Text that a choice never holds: a token that would complete one of these cannot be chosen. Bytes of special tokens do not count.</summary>
    public IReadOnlyList<string> BadWords { get; init; } = [];

    /// <summary>
    /// What a choice may say; null = anything. It ends where nothing may follow, or by its length, and then its text is the beginning of one that is allowed.
    /// Made for the tokenizer of the engine.
    /// </summary>
    public Constraint? Constraint { get; init; }

    /// <summary>Continuations wanted, 1 to 128. The prompt is computed once; each choice draws with its own random numbers.</summary>
    public int Choices { get; init; } = 1;

    /// <summary>Not null looks for the likeliest continuations by beam search. Needs greedy sampling without anything that moves logits or bans tokens, no stop strings or tokens, and no kept lease.</summary>
    public BeamSearchOptions? Beams { get; init; }

    /// <summary>Keeps tenants apart: blocks are found only under the salt that they were computed under.</summary>
    public ReadOnlyMemory<byte> TenantSalt { get; init; }

    /// <summary>With whom places and steps are shared: tenants are served alike, by their weights, whatever salts they use. Null = those of one salt are one tenant.</summary>
    public string? Tenant { get; init; }

    /// <summary>Sequences that the request is: one for each choice, or each beam.</summary>
    public int SequenceCount => Beams?.Width ?? Choices;

    /// <summary>False neither looks for cached blocks nor leaves any. The output is the same, bit for bit.</summary>
    public bool UseCache { get; init; } = true;

    /// <summary>True hands the blocks of choice 0 over with the result; the caller disposes the lease. Needs <see cref="UseCache"/>.</summary>
    public bool KeepLease { get; init; }

    /// <summary>0 to 20: log-probabilities of the prompt's own tokens with this many alternatives each. Null = none. The whole prompt is then computed, cached or not.</summary>
    public int? PromptLogProbs { get; init; }

    /// <summary>Asks for one vector of the prompt's hidden states instead of new tokens: <see cref="GenerationResult.Embedding"/>. Needs <see cref="MaxNewTokens"/> 0 and one choice. Null = none.</summary>
    public EmbeddingPooling? Embedding { get; init; }

    /// <summary>Checks every range but those that depend on the model.</summary>
    /// <exception cref="ArgumentException">A value is out of range; the message names property, value and rule, the parameter name is the property.</exception>
    public void Validate()
    {
        ArgumentNullException.ThrowIfNull(Sampling);
        ArgumentNullException.ThrowIfNull(StopStrings);
        Check(Prompt.Length > 0, nameof(Prompt), "empty", "at least one token");
        Check(MaxNewTokens >= 0, nameof(MaxNewTokens), $"{MaxNewTokens}", "0 or more");
        Check(MinNewTokens >= 0 && MinNewTokens <= MaxNewTokens, nameof(MinNewTokens), $"{MinNewTokens}", $"from 0 to {MaxNewTokens}, the most that may be generated");
        Check(Choices is >= 1 and <= MaxChoices, nameof(Choices), $"{Choices}", $"from 1 to {MaxChoices}");
        Check(PromptLogProbs is null or (>= 0 and <= 20), nameof(PromptLogProbs), $"{PromptLogProbs}", "from 0 to 20");
        Check(!KeepLease || UseCache, nameof(KeepLease), "true while UseCache is false", "false when the cache is not used");
        Check(Embedding is null || MaxNewTokens == 0, nameof(MaxNewTokens), $"{MaxNewTokens}", "0 where an embedding is asked for");
        Check(Embedding is null || (Choices == 1 && PromptLogProbs is null), nameof(Embedding), "asked for", "null with more than one choice, or with log-probabilities");
        Check(StopStrings.Count <= MaxStopStrings, nameof(StopStrings), $"a list of {StopStrings.Count}", $"at most {MaxStopStrings} strings");
        Check(StopStrings.All(stop => !string.IsNullOrEmpty(stop)), nameof(StopStrings), "holding an empty string", "a list of non-empty strings");
        ArgumentNullException.ThrowIfNull(StopTokenIds);
        Check(StopTokenIds.Count <= MaxStopTokens, nameof(StopTokenIds), $"a list of {StopTokenIds.Count}", $"at most {MaxStopTokens} tokens");
        ArgumentNullException.ThrowIfNull(BadWords);
        Check(BadWords.Count <= MaxBadWords, nameof(BadWords), $"a list of {BadWords.Count}", $"at most {MaxBadWords} words");
        Check(BadWords.All(word => word is { Length: > 0 and <= MaxBadWordLength }), nameof(BadWords), "holding a word that is empty or too long", $"a list of words of 1 to {MaxBadWordLength} characters");
        Sampling.Validate();
        Check(Constraint is null || Beams is null, nameof(Constraint), "given with beams", "null where beams are searched");
        if (Beams is not null)
            ValidateBeams(Beams);
    }

    private void ValidateBeams(BeamSearchOptions beams)
    {
        Check(beams.Width is >= 1 and <= BeamSearchOptions.MaxWidth, nameof(Beams), $"of width {beams.Width}", $"from 1 to {BeamSearchOptions.MaxWidth} wide");
        Check(beams.LengthPenalty is >= -10 and <= 10, nameof(Beams), $"of length penalty {beams.LengthPenalty}", "of a length penalty from -10 to 10");
        Check(Choices <= beams.Width, nameof(Choices), $"{Choices}", $"at most the {beams.Width} beams");
        Check(Sampling is { IsGreedy: true, HasPenalties: false, LogitBias.Count: 0, TopLogProbs: null }, nameof(Sampling), "more than greedy", "greedy, without penalties, bias and log-probabilities, in a beam search");
        Check(StopStrings.Count == 0, nameof(StopStrings), "not empty", "empty in a beam search");
        Check(StopTokenIds.Count == 0, nameof(StopTokenIds), "not empty", "empty in a beam search");
        Check(BadWords.Count == 0, nameof(BadWords), "not empty", "empty in a beam search");
        Check(MinNewTokens == 0, nameof(MinNewTokens), $"{MinNewTokens}", "0 in a beam search");
        Check(!KeepLease, nameof(KeepLease), "true", "false in a beam search");
    }

    private static void Check(bool holds, string property, string value, string rule)
    {
        if (!holds)
            throw new ArgumentException($"{property} is {value}; it must be {rule}.", property);
    }
}
