using KvTiers.Sessions;
using KvTiers.Sessions.Hosting;

namespace KvTiers.Silo.Hosting;

/// <summary>Makes of the conversations in this process what requests go through: themselves, or the door to a cluster's.</summary>
internal delegate IConversations ConversationDoor(LocalConversations local);
