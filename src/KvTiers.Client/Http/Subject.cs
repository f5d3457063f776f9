using KvTiers.Conversations;

namespace KvTiers.Client.Http;

/// <summary>What a request is about, for the exception if it fails.</summary>
internal sealed record Subject(ConversationKey Key, long? ExpectedVersion = null);
