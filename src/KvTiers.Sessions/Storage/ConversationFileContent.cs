using KvTiers.Sessions.Changes;

namespace KvTiers.Sessions.Storage;

/// <summary>What a conversation's file holds.</summary>
/// <param name="State">The newest version.</param>
/// <param name="Generation">Changes when the file is replaced, and only then.</param>
/// <param name="ValidLength">Bytes up to the end of the last whole record; what follows was never acknowledged.</param>
/// <param name="Records">Records after the key.</param>
/// <param name="FirstRecordBytes">Length of the first of them.</param>
/// <param name="HasUnsigned">Whether there are keys, and one of them has no seal.</param>
internal sealed record ConversationFileContent(ConversationState State, Guid Generation, int ValidLength, int Records, int FirstRecordBytes, bool HasUnsigned);
