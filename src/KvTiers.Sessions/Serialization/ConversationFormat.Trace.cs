using KvTiers.Conversations;
using KvTiers.Sessions.Changes;
using KvTiers.Sessions.Log;

namespace KvTiers.Sessions.Serialization;

/// <content>What is kept of the last turn.</content>
internal static partial class ConversationFormat
{
    private static void WriteTrace(ref FieldWriter fields, TurnTrace trace)
    {
        fields.Field("version", trace.Version);
        fields.Field("host", trace.Host);
        // Builds that know of no cut could not read its name. What they see is an edit, which it is to the tokens.
        fields.Field("reason", (trace.Reason == ExplanationReason.Cut ? ExplanationReason.Edited : trace.Reason).ToString());
        fields.Field("prompt", trace.PromptTokens);
        fields.Field("cached", trace.CachedTokens);
        fields.Field("left", trace.LeftTokens);
        fields.Field("ttft_ms", trace.TtftMs);
        fields.Field("cost", trace.CostTokens);
        fields.Map("difference", trace.Difference, WriteDifference);
        if (trace.CompletionTokens is { } completion)
            fields.Field("completion", completion);
        fields.Field("finish", trace.FinishReason);
        fields.Field("note", trace.Note);
        fields.Field("limited_by", trace.LimitedBy);
        fields.Map("cut", trace.Cut, WriteContextCut);
    }

    private static TurnTrace ReadTrace(FieldReader fields)
    {
        TurnTrace trace = ReadWritten(fields);
        return trace is { Cut: not null, Reason: ExplanationReason.Edited } ? trace with { Reason = ExplanationReason.Cut } : trace;
    }

    private static ExplanationReason ReadReason(FieldReader fields) => fields.Text("reason") is var name && Enum.TryParse(name, out ExplanationReason reason) && Enum.IsDefined(reason)
        ? reason
        : throw new FormatException($"There is no reason '{name}'.");

    private static TurnTrace ReadWritten(FieldReader fields) => new()
    {
        Version = fields.Int64("version"),
        Host = fields.Text("host"),
        Reason = ReadReason(fields),
        PromptTokens = fields.Int32("prompt"),
        CachedTokens = fields.Int32("cached"),
        LeftTokens = fields.Int32("left"),
        TtftMs = fields.Double("ttft_ms"),
        CostTokens = fields.Int32("cost"),
        Difference = fields.Nested("difference", ReadDifference),
        CompletionTokens = fields.Int32OrNull("completion"),
        FinishReason = fields.TextOrNull("finish"),
        Note = fields.TextOrNull("note"),
        LimitedBy = fields.TextOrNull("limited_by"),
        Cut = fields.Nested("cut", ReadContextCut),
    };

    private static void WriteDifference(ref FieldWriter fields, LogDifference difference)
    {
        fields.Field("message", difference.MessageIndex);
        fields.Field("role", difference.Role);
        fields.Field("token", difference.TokenOffset);
        fields.Field("character", difference.CharacterOffset);
        fields.Field("old", difference.OldExcerpt);
        fields.Field("new", difference.NewExcerpt);
    }

    private static LogDifference ReadDifference(FieldReader fields) => new()
    {
        MessageIndex = fields.Int32("message"),
        Role = fields.Text("role"),
        TokenOffset = fields.Int32("token"),
        CharacterOffset = fields.Int32("character"),
        OldExcerpt = fields.Text("old"),
        NewExcerpt = fields.Text("new"),
    };
}
