using KvTiers.Conversations;

namespace KvTiers.Sessions;

/// <summary>What all conversations of a host have in common.</summary>
public sealed record ConversationOptions
{
    /// <summary>Name of the model that answers.</summary>
    public required string ModelName { get; init; }

    /// <summary>Takes the place of what a turn leaves open. What this leaves open too, the engine decides; <see cref="GenerationOptions.UseCache"/> does not count here.</summary>
    public GenerationOptions Defaults { get; init; } = new() { MaxTokens = 256 };

    /// <summary>Share of the hot blocks that pins may bar from eviction, 0 to 1. Of what goes beyond it, only the leading tokens are pinned. Default 0.5.</summary>
    public double PinnedShare { get; init; } = 0.5;

    /// <summary>What is done when a conversation that says nothing of it outgrows the model's context. Default: its oldest turns are left out of the prompt.</summary>
    public ContextPolicy ContextPolicy { get; init; } = ContextPolicy.DropOldest;

    /// <summary>
    /// Share of the room for prompts, which is the context without what is held free for the answer, that a cut leaves filled, 0.1 to 0.9: the less, the longer it
    /// takes until the next cut, and the less the model knows after it. Default 0.5.
    /// </summary>
    public double ContextKeep { get; init; } = 0.5;

    /// <summary>Most tokens of a summary that stands for what was left out, 16 to 4,096; at most an eighth of the context is used. Default 256.</summary>
    public int SummaryTokens { get; init; } = 256;

    /// <summary>
    /// Names the colder tiers of this process, the same after a restart, among all processes that share the conversation store: what a deletion still owes
    /// there is done by the process that has them. Empty, the default, where none shares the store.
    /// </summary>
    public string Owner { get; init; } = "";

    /// <summary>
    /// Stored conversations that a tenant may have; null for one = any number. Asked when one is begun: created, forked, or by its first turn. Those that begin at one
    /// moment do not see each other, so there may be as many more. Null, the default: no tenant has a bound.
    /// </summary>
    public Func<string, int?>? MostConversations { get; init; }

    /// <summary>Checks every range.</summary>
    /// <exception cref="ArgumentException">A value is out of range; the message names property, value and rule.</exception>
    public void Validate()
    {
        if (string.IsNullOrWhiteSpace(ModelName))
            throw new ArgumentException($"{nameof(ModelName)} is empty; it must name the model.", nameof(ModelName));
        if (PinnedShare is not (>= 0 and <= 1))
            throw new ArgumentException(FormattableString.Invariant($"{nameof(PinnedShare)} is {PinnedShare}; it must be from 0 to 1."), nameof(PinnedShare));
        if (!Enum.IsDefined(ContextPolicy))
            throw new ArgumentException($"{nameof(ContextPolicy)} is {(int)ContextPolicy}; it must be Refuse, DropOldest, KeepEnds or Summarize.", nameof(ContextPolicy));
        if (ContextKeep is not (>= 0.1 and <= 0.9))
            throw new ArgumentException(FormattableString.Invariant($"{nameof(ContextKeep)} is {ContextKeep}; it must be from 0.1 to 0.9."), nameof(ContextKeep));
        if (SummaryTokens is < 16 or > 4096)
            throw new ArgumentException($"{nameof(SummaryTokens)} is {SummaryTokens}; it must be from 16 to 4096.", nameof(SummaryTokens));
    }
}
