namespace KvTiers.Silo.OpenAi;

/// <summary>How a chat's prompt ends.</summary>
internal enum PromptEnding
{
    /// <summary>With what makes the model answer.</summary>
    GenerationPrompt,

    /// <summary>With the last message and what the template writes after it.</summary>
    LastMessage,

    /// <summary>Inside the last message, right after its content, which the answer goes on with.</summary>
    OpenMessage,
}
