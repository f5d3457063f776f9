using KvTiers.Conversations;
using KvTiers.Inference.Tokens;
using KvTiers.Sessions.Hosting;
using KvTiers.Sessions.Storage;

namespace KvTiers.Silo.Models;

/// <summary>What chatting with a model takes. A model whose folder has no chat template, or one that is not understood, only completes text.</summary>
/// <param name="Prompt">Messages to token ids; null = the model cannot chat.</param>
/// <param name="Conversations">What this silo's grains work on; null = the model cannot chat.</param>
/// <param name="Failure">Why it cannot, as a sentence; null = it can.</param>
internal sealed record ChatParts(ChatPrompt? Prompt, LocalConversations? Conversations, string? Failure)
{
    /// <summary>The grains of the conversations, which is the one way to them; null when there are none.</summary>
    public IConversations? Door { get; init; }

    /// <summary>Where the conversations are stored; null when there are none.</summary>
    public IConversationStore? Store { get; init; }
}
