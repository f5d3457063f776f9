using KvTiers.Conversations;
using KvTiers.Inference.Scheduling;
using KvTiers.Inference.Tokens;

namespace KvTiers.Orleans.Serialization;

/// <summary>An exception of <see cref="IConversations"/> between processes: made where it happens, turned back where it is told.</summary>
[GenerateSerializer]
[Alias("kvt.fault")]
internal sealed class ConversationFault : Exception
{
    public ConversationFault(ConversationFaultKind kind, string message)
        : base(message) => Kind = kind;

    [Id(0)]
    public ConversationFaultKind Kind { get; set; }

    /// <summary>Tenant and id; or a place, a parameter, or the rule that was broken.</summary>
    [Id(1)]
    public string? Subject { get; set; }

    [Id(2)]
    public long? First { get; set; }

    [Id(3)]
    public long? Second { get; set; }

    /// <summary>Null for an exception that is none of them, and travels as it is.</summary>
    public static ConversationFault? From(Exception exception) => exception switch
    {
        ConversationNotFoundException e => new(ConversationFaultKind.NotFound, e.Message) { Subject = e.Key.ToString() },
        ConversationConflictException e => new(ConversationFaultKind.Conflict, e.Message) { Subject = e.Key.ToString(), First = e.ExpectedVersion, Second = e.ActualVersion },
        ConversationDamagedException e => new(ConversationFaultKind.Damaged, e.Reason) { Subject = e.Path },
        ConversationLimitException e => new(ConversationFaultKind.Limit, e.Message) { Subject = e.Tenant, First = e.Most },
        PromptTooLongException e => new(ConversationFaultKind.PromptTooLong, e.Message) { Subject = e.Limit, First = e.PromptTokenCount, Second = e.MaxPromptTokenCount },
        EngineBusyException e => new(ConversationFaultKind.Busy, e.Message) { First = e.MaxWaiting, Second = (long?)e.RetryAfter?.TotalMilliseconds },
        TemplateException e => new(ConversationFaultKind.Refused, e.Reason) { First = e.Line, Second = e.IsRefusal ? 1 : 0 },
        ArgumentException e => new(ConversationFaultKind.Argument, WithoutSuffix(e)) { Subject = e.ParamName },
        ObjectDisposedException => new(ConversationFaultKind.Unreachable, "The silo that has the conversation is stopping."),
        ConversationUnreachableException e => new(ConversationFaultKind.Unreachable, e.Message),
        ConversationStoreUnavailableException e => new(ConversationFaultKind.StoreUnavailable, e.Message),
        IOException e => new(ConversationFaultKind.Io, e.Message),
        _ => null,
    };

    /// <summary>The exception that it stands for.</summary>
    /// <param name="key">The conversation that was called; null when none was.</param>
    public Exception ToException(ConversationKey? key) => Kind switch
    {
        ConversationFaultKind.NotFound => new ConversationNotFoundException(KeyOr(key)),
        ConversationFaultKind.Conflict => new ConversationConflictException(KeyOr(key), Message, First, Second),
        ConversationFaultKind.Damaged => new ConversationDamagedException(Subject ?? "", Message),
        ConversationFaultKind.Limit => new ConversationLimitException(Subject ?? "", (int)(First ?? 0)),
        ConversationFaultKind.PromptTooLong => new PromptTooLongException((int)(First ?? 0), (int)(Second ?? 0), Subject ?? ""),
        ConversationFaultKind.Busy => new EngineBusyException((int)(First ?? 0), Second is { } retryMs ? TimeSpan.FromMilliseconds(retryMs) : null),
        ConversationFaultKind.Refused => new TemplateException((int)(First ?? 0), Message) { IsRefusal = Second == 1 },
        ConversationFaultKind.Argument => new ArgumentException(Message, Subject),
        ConversationFaultKind.Unreachable => new ConversationUnreachableException(Message),
        ConversationFaultKind.StoreUnavailable => new ConversationStoreUnavailableException(Message),
        _ => new IOException(Message),
    };

    private ConversationKey KeyOr(ConversationKey? key) =>
        Subject?.Split('/') is [string tenant, string id] ? new ConversationKey(tenant, id) : key ?? default;

    // The framework's own suffix is added again when it is made anew.
    private static string WithoutSuffix(ArgumentException exception)
    {
        string message = exception.Message;
        int suffix = exception.ParamName is { } name ? message.IndexOf($" (Parameter '{name}')", StringComparison.Ordinal) : -1;
        return suffix < 0 ? message : message[..suffix];
    }
}
