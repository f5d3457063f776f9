using System.Collections.Immutable;
using System.Runtime.InteropServices;
using KvTiers.Conversations;
using KvTiers.Serialization;
using KvTiers.Sessions.Log;
using MessagePack;

namespace KvTiers.Sessions.Serialization;

/// <summary>A logged message as a MessagePack array: role, content, tokens and, where there is more to say, a map of it. docs/conversation-store.md describes it.</summary>
internal static class MessageFormat
{
    private const int Parts = 3;

    public static void Write(ref MessagePackWriter writer, LoggedMessage message)
    {
        int details = DetailCount(message);
        writer.WriteArrayHeader(details == 0 ? Parts : Parts + 1);
        writer.WriteText(message.Role);
        writer.WriteText(message.Content);
        writer.WriteNumbers(message.Tokens.AsSpan());
        if (details == 0)
            return;
        writer.WriteMapHeader(details);
        WriteField(ref writer, "name", message.Name);
        WriteField(ref writer, "reasoning", message.ReasoningContent);
        WriteField(ref writer, "call_id", message.ToolCallId);
        WriteField(ref writer, "tools", message.ToolsShown);
        if (message.Pinned)
            WritePin(ref writer);
        if (!message.ToolCalls.IsEmpty)
            WriteCalls(ref writer, message.ToolCalls);
    }

    public static LoggedMessage Read(ref MessagePackReader reader)
    {
        int count = reader.ReadArrayHeader();
        if (count < Parts)
            throw new FormatException($"A message has {count} parts; it must have role, content and tokens.");
        var message = new LoggedMessage(reader.ReadText(), reader.ReadText(), ImmutableCollectionsMarshal.AsImmutableArray(reader.ReadNumbers()));
        if (count > Parts)
            message = FieldReader.Read(reader.ReadRaw().First, fields => WithDetails(message, fields));
        for (int left = count - Parts - 1; left > 0; left--)
            reader.SkipValue();
        return message;
    }

    private static int DetailCount(LoggedMessage message) =>
        Count(message.Name) + Count(message.ReasoningContent) + Count(message.ToolCallId) + Count(message.ToolsShown) + (message.Pinned ? 1 : 0) + (message.ToolCalls.IsEmpty ? 0 : 1);

    private static int Count(string? value) => value is null ? 0 : 1;

    private static void WriteField(ref MessagePackWriter writer, string name, string? value)
    {
        if (value is null)
            return;
        writer.WriteText(name);
        writer.WriteText(value);
    }

    private static void WritePin(ref MessagePackWriter writer)
    {
        writer.WriteText("pinned");
        writer.Write(true);
    }

    private static void WriteCalls(ref MessagePackWriter writer, ImmutableArray<ToolCall> calls)
    {
        writer.WriteText("calls");
        writer.WriteArrayHeader(calls.Length);
        foreach (ToolCall call in calls)
        {
            writer.WriteArrayHeader(3);
            writer.WriteText(call.Id);
            writer.WriteText(call.Name);
            writer.WriteText(call.Arguments);
        }
    }

    private static LoggedMessage WithDetails(LoggedMessage message, FieldReader fields) => message with
    {
        Name = fields.TextOrNull("name"),
        ReasoningContent = fields.TextOrNull("reasoning"),
        ToolCallId = fields.TextOrNull("call_id"),
        ToolsShown = fields.TextOrNull("tools"),
        Pinned = fields.Flag("pinned"),
        ToolCalls = fields.ListOrEmpty("calls", ReadCall),
    };

    private static ToolCall ReadCall(ref MessagePackReader reader)
    {
        int count = reader.ReadArrayHeader();
        if (count < 3)
            throw new FormatException($"A call has {count} parts; it must have id, name and arguments.");
        var call = new ToolCall(reader.ReadText(), reader.ReadText(), reader.ReadText());
        for (; count > 3; count--)
            reader.SkipValue();
        return call;
    }
}
