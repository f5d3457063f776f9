using KvTiers.Conversations;
using KvTiers.Sessions.Serialization;

namespace KvTiers.Sessions.Storage;

/// <summary>Where a record of a conversation's file stands. A generation is one file's alone, so no other record ever had the same place.</summary>
/// <param name="Key">Whose file it is.</param>
/// <param name="Generation">Which file of it.</param>
/// <param name="Number">The record's number after the key's, from 0.</param>
internal readonly record struct RecordPlace(ConversationKey Key, Guid Generation, int Number)
{
    /// <summary>What the record is sealed for.</summary>
    public byte[] Context => RecordSealer.ContextOf("file", Key.Tenant, Key.Id, $"{Generation:n}", $"{Number}");
}
