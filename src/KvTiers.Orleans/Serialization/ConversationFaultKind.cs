namespace KvTiers.Orleans.Serialization;

/// <summary>Which exception a <see cref="ConversationFault"/> stands for. Numbers stay what they are: silos of two versions exchange them.</summary>
internal enum ConversationFaultKind
{
    NotFound = 0,
    Conflict = 1,
    Damaged = 2,
    PromptTooLong = 3,
    Busy = 4,
    Refused = 5,
    Argument = 6,
    Unreachable = 7,
    StoreUnavailable = 8,
    Io = 9,
    Limit = 10,
}
