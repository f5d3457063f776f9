using KvTiers.Conversations;
using KvTiers.Inference.Model;

namespace KvTiers.Silo.Turns;

/// <summary>All answers are complete.</summary>
/// <param name="FinishReasons">[choices]: <c>stop</c>, <c>length</c> or <c>tool_calls</c>.</param>
/// <param name="Usage">What they took together.</param>
/// <param name="Conversation">The conversation that the turn was stored in; null = none.</param>
internal sealed record AnswerEnd(IReadOnlyList<string> FinishReasons, TurnUsage Usage, string? Conversation) : AnswerEvent
{
    /// <summary>[prompts]: log probabilities of each prompt's own tokens, the first of which has none; null = not asked for.</summary>
    public IReadOnlyList<IReadOnlyList<TokenLogProb?>?> PromptLogProbs { get; init; } = [];

    /// <summary>[choices]: the stop string that ended each answer; null = none did. Empty where it is not known.</summary>
    public IReadOnlyList<string?> StopStrings { get; init; } = [];

    /// <summary>The blocks of the first prompt and its first answer, where the request keeps them; they are held until the next event is asked for.</summary>
    public BlockLease? Lease { get; init; }
}
