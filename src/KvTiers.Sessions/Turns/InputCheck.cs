using KvTiers.Conversations;

namespace KvTiers.Sessions.Turns;

/// <summary>Checks what callers pass. Every message names the input, its value and the rule.</summary>
internal static class InputCheck
{
    private const int MaxRoleLength = 64;
    private const int MaxSaltLength = 1024;

    public static void Turn(TurnRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (!Enum.IsDefined(request.Mode))
            throw new ArgumentException($"Mode is {(int)request.Mode}; it must be Append or History.", nameof(request.Mode));
        Messages(request.Messages, nameof(request.Messages));
        if (request.Messages.Count == 0)
            throw new ArgumentException("Messages is empty; a turn must have at least one message.", nameof(request.Messages));
        if (request.CacheSalt is { Length: 0 or > MaxSaltLength })
            throw new ArgumentException($"CacheSalt has {request.CacheSalt.Length} characters; it must have 1 to {MaxSaltLength}.", nameof(request.CacheSalt));
        if (request.ContextPolicy is { } policy)
            Policy(policy, nameof(request.ContextPolicy));
        if (request.Truncation is { } truncation && !Enum.IsDefined(truncation))
            throw new ArgumentException($"Truncation is {(int)truncation}; it must be Auto or Disabled.", nameof(request.Truncation));
        Generation(request.Options);
        if (request.Note is not { } note)
            return;
        if (note.Length > TurnRequest.MaxNoteLength)
            throw new ArgumentException($"Note has {note.Length} characters; it must have at most {TurnRequest.MaxNoteLength}.", nameof(request.Note));
        Text(note, nameof(request.Note), nameof(request.Note));
    }

    public static void Policy(ContextPolicy policy, string name)
    {
        if (!Enum.IsDefined(policy))
            throw new ArgumentException($"{name} is {(int)policy}; it must be Refuse, DropOldest, KeepEnds or Summarize.", name);
    }

    public static void Generation(GenerationOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.MaxTokens < 1)
            throw new ArgumentException($"MaxTokens is {options.MaxTokens}; it must be 1 or more.", nameof(options.MaxTokens));
        if (options.Format is { Text: null })
            throw new ArgumentException("Format has no text; it must have one, if an empty one.", nameof(options.Format));
        options.Tools?.Validate();
    }

    public static void Messages(IReadOnlyList<ChatMessage> messages, string name)
    {
        ArgumentNullException.ThrowIfNull(messages, name);
        for (int i = 0; i < messages.Count; i++)
        {
            if (messages[i] is not { Role: not null, Content: not null })
                throw new ArgumentException($"{name}[{i}] is null or has no role or content; it must have both.", name);
            if (messages[i].Role.Length is 0 or > MaxRoleLength)
                throw new ArgumentException($"{name}[{i}] has a role of {messages[i].Role.Length} characters; it must have 1 to {MaxRoleLength}.", name);
            Text(messages[i].Role, $"{name}[{i}].Role", name);
            Text(messages[i].Content, $"{name}[{i}].Content", name);
            Text(messages[i].Name ?? "", $"{name}[{i}].Name", name);
            Text(messages[i].ReasoningContent ?? "", $"{name}[{i}].ReasoningContent", name);
            Text(messages[i].ToolCallId ?? "", $"{name}[{i}].ToolCallId", name);
            Calls(messages[i].ToolCalls ?? [], $"{name}[{i}].ToolCalls", name);
        }
    }

    private static void Calls(IReadOnlyList<ToolCall> calls, string what, string name)
    {
        for (int i = 0; i < calls.Count; i++)
        {
            if (calls[i] is not { Id: not null, Name: not null, Arguments: not null })
                throw new ArgumentException($"{what}[{i}] is null or has no id, name or arguments; it must have all three.", name);
            Text(calls[i].Id, $"{what}[{i}].Id", name);
            Text(calls[i].Name, $"{what}[{i}].Name", name);
            Text(calls[i].Arguments, $"{what}[{i}].Arguments", name);
        }
    }

    public static void Text(string text, string what, string name)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i]))
                continue;
            if (!char.IsHighSurrogate(text[i]) || i + 1 == text.Length || !char.IsLowSurrogate(text[i + 1]))
                throw new ArgumentException($"{what} holds half of a surrogate pair at character {i}; it must be whole Unicode.", name);
            i++;
        }
    }

    public static void Edit(EditRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(request.Content);
        Text(request.Content, nameof(request.Content), nameof(request.Content));
    }

    public static void Index(int index, int count, string name)
    {
        if ((uint)index >= (uint)count)
            throw new ArgumentOutOfRangeException(name, index, $"{name} is {index}; the conversation has {count} messages.");
    }

    public static void TimeToLive(TimeSpan? ttl)
    {
        if (ttl <= TimeSpan.Zero)
            throw new ArgumentOutOfRangeException(nameof(ttl), ttl, $"ttl is {ttl}; it must be above zero.");
    }
}
