using KvTiers.Conversations;
using KvTiers.Sessions.Log;
using MessagePack;

namespace KvTiers.Sessions.Serialization;

/// <content>What logs leave out, because the context was full, and what says so.</content>
internal static partial class ConversationFormat
{
    private static void WriteCut(ref FieldWriter fields, LogCutChange? cut)
    {
        if (cut is null)
            return;
        fields.List("dropped", cut.Dropped, WriteDropped);
        if (cut.SummaryCount == 0)
            return;
        fields.Field("summary_start", cut.SummaryStart);
        fields.Field("summary_count", cut.SummaryCount);
    }

    private static LogCutChange? ReadCut(FieldReader fields) => fields.ListOrNull("dropped", ReadDropped) is { } dropped
        ? new() { Dropped = dropped, SummaryStart = fields.Int32OrNull("summary_start") ?? 0, SummaryCount = fields.Int32OrNull("summary_count") ?? 0 }
        : null;

    private static void WriteDropped(ref MessagePackWriter writer, DroppedEntry dropped)
    {
        writer.WriteArrayHeader(3);
        writer.Write(dropped.Index);
        WriteEntry(ref writer, dropped.Entry);
        writer.Write(dropped.Version);
    }

    private static DroppedEntry ReadDropped(ref MessagePackReader reader)
    {
        int parts = reader.ReadArrayHeader();
        return parts == 3
            ? new(reader.ReadInt32(), ReadEntry(ref reader), reader.ReadInt64())
            : throw new FormatException($"A message that is left out has {parts} parts; it must have place, message and version.");
    }

    private static ContextPolicy? ReadPolicy(FieldReader fields, string name) => fields.TextOrNull(name) is not { } text ? null
        : Enum.TryParse(text, out ContextPolicy policy) && Enum.IsDefined(policy) ? policy
        : throw new FormatException($"There is no policy '{text}' for a full context.");

    private static void WriteContextCut(ref FieldWriter fields, ContextCut cut)
    {
        fields.Field("policy", cut.Policy.ToString());
        fields.Field("dropped", cut.MessagesDropped);
        fields.Field("dropped_tokens", cut.TokensDropped);
        fields.Field("first", cut.FirstDropped);
        fields.Field("kept", cut.MessagesKept);
        fields.Field("before", cut.TokensBeforeCut);
        fields.Field("former", cut.FormerPromptTokens);
        fields.Field("prompt", cut.PromptTokens);
        fields.Field("context", cut.ContextTokens);
        fields.Field("reserve", cut.AnswerReserve);
        fields.Map("summary", cut.Summary, WriteSummary);
        fields.Field("failure", cut.SummaryFailure);
    }

    private static ContextCut ReadContextCut(FieldReader fields) => new()
    {
        Policy = ReadPolicy(fields, "policy") ?? throw new FormatException("The field 'policy' is missing."),
        MessagesDropped = fields.Int32("dropped"),
        TokensDropped = fields.Int32("dropped_tokens"),
        FirstDropped = fields.Int32("first"),
        MessagesKept = fields.Int32("kept"),
        TokensBeforeCut = fields.Int32("before"),
        FormerPromptTokens = fields.Int32("former"),
        PromptTokens = fields.Int32("prompt"),
        ContextTokens = fields.Int32("context"),
        AnswerReserve = fields.Int32("reserve"),
        Summary = fields.Nested("summary", ReadSummary),
        SummaryFailure = fields.TextOrNull("failure"),
    };

    private static void WriteSummary(ref FieldWriter fields, ContextSummary summary)
    {
        fields.Field("prompt", summary.PromptTokens);
        fields.Field("cached", summary.CachedTokens);
        fields.Field("completion", summary.CompletionTokens);
    }

    private static ContextSummary ReadSummary(FieldReader fields) => new()
    {
        PromptTokens = fields.Int32("prompt"),
        CachedTokens = fields.Int32("cached"),
        CompletionTokens = fields.Int32("completion"),
    };
}
