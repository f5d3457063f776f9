namespace KvTiers.Sessions.Hosting;

/// <summary>A caller alone with a conversation, until it is disposed.</summary>
internal sealed class EnteredConversation(ActiveConversations active, ActiveConversation entered) : IDisposable
{
    public Conversation Conversation => entered.Conversation;

    public void Dispose() => active.Leave(entered);
}
