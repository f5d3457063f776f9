using System.Collections.ObjectModel;
using KvTiers.Inference.Model;

namespace KvTiers.Inference.Scheduling;

/// <summary>A finished generation.</summary>
public sealed record GenerationResult
{
    /// <summary>Tokens of the prompt.</summary>
    public required int PromptTokenCount { get; init; }

    /// <summary>Prompt tokens whose K and V were found. Together with <see cref="ComputedTokenCount"/> the whole prompt, unless it was cancelled before.</summary>
    public required int CachedTokenCount { get; init; }

    /// <summary>How many of the cached tokens each colder tier brought, by its name. What is left was hot.</summary>
    public IReadOnlyDictionary<string, int> PromotedTokenCounts { get; init; } = ReadOnlyDictionary<string, int>.Empty;

    /// <summary>Computed tokens, in whole blocks, that a colder tier held: computing them was chosen as the faster way.</summary>
    public int LeftToComputeTokenCount { get; init; }

    /// <summary>Prompt tokens that went through the model.</summary>
    public required int ComputedTokenCount { get; init; }

    /// <summary>Tokens that went through the model a second time, because the sequence was preempted and its blocks were evicted meanwhile.</summary>
    public required int RecomputedTokenCount { get; init; }

    /// <summary>From the submission to the first token (without new tokens: to the end of the prompt).</summary>
    public required TimeSpan TimeToFirstToken { get; init; }

    /// <summary>From the submission to the end.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>The seed of all draws: the one asked for, or the one the engine picked.</summary>
    public required long Seed { get; init; }

    /// <summary>One per choice, in their order.</summary>
    public required IReadOnlyList<ChoiceResult> Choices { get; init; }

    /// <summary>One per prompt token when asked for, the first of them null (nothing comes before it); else null.</summary>
    public IReadOnlyList<TokenLogProb?>? PromptLogProbs { get; init; }

    /// <summary>The vector that <see cref="GenerationRequest.Embedding"/> asked for, [hidden], as long as the states make it; else, and when it was cancelled, null.</summary>
    public ReadOnlyMemory<float>? Embedding { get; init; }

    /// <summary>The blocks of choice 0, published, when <see cref="GenerationRequest.KeepLease"/> asked for them and it was not cancelled. The caller disposes it.</summary>
    public BlockLease? Lease { get; init; }
}
