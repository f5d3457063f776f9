using KvTiers.Conversations;
using KvTiers.Sessions.Changes;

namespace KvTiers.Sessions.Storage;

/// <summary>Keeps what is known of a file of this generation and length. Files only grow, so it need not be read again.</summary>
internal sealed record KnownFile(Guid Generation, long Length, ConversationVersion Version, int Records, int FirstRecordBytes, ConversationSummary? Summary)
{
    public static KnownFile Of(ConversationFileContent content) =>
        new(content.Generation, content.ValidLength, content.State.Version, content.Records, content.FirstRecordBytes, content.State.ToSummary());
}
