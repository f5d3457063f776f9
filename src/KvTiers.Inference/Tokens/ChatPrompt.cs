namespace KvTiers.Inference.Tokens;

/// <summary>Chat template and tokenizer together.</summary>
public sealed class ChatPrompt(ChatTemplate template, Tokenizer tokenizer)
{
    /// <summary>Template.</summary>
    public ChatTemplate Template { get; } = template;

    /// <summary>Tokenizer.</summary>
    public Tokenizer Tokenizer { get; } = tokenizer;

    /// <summary>What makes the model answer: the ids after the last message.</summary>
    public IReadOnlyList<int> GenerationPromptIds => throw new NotImplementedException();

    /// <summary>What the template puts after an assistant's content: a generated answer is closed with these.</summary>
    public IReadOnlyList<int> AnswerClosingIds => throw new NotImplementedException();

    /// <summary>Encode.</summary>
    public ChatTokens Encode(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt) => throw new NotImplementedException();
}
