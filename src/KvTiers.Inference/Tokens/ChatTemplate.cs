namespace KvTiers.Inference.Tokens;

/// <summary>Chat template.</summary>
public sealed class ChatTemplate
{
    /// <summary>Load.</summary>
    public static ChatTemplate Load(string folder, TimeProvider? time = null) => throw new NotImplementedException(folder);

    /// <summary>Render.</summary>
    public RenderedPrompt Render(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt) => throw new NotImplementedException();
}
