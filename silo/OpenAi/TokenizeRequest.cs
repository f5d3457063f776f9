using System.Text.Json;

namespace KvTiers.Silo.OpenAi;

/// <summary>Body of <c>POST /tokenize</c> and <c>POST /apply-template</c>: a text or a chat.</summary>
internal sealed record TokenizeRequest
{
    /// <summary>Name of the model; absent = the one that is loaded.</summary>
    public string? Model { get; init; }

    /// <summary>A text.</summary>
    public string? Prompt { get; init; }

    /// <summary>llama.cpp's name of it.</summary>
    public string? Content { get; init; }

    /// <summary>A chat.</summary>
    public IReadOnlyList<ChatMessageParameter>? Messages { get; init; }

    /// <summary>Functions that the chat's answer may call.</summary>
    public IReadOnlyList<ToolParameter>? Tools { get; init; }

    /// <summary>Whether the chat ends with what makes the model answer.</summary>
    public bool? AddGenerationPrompt { get; init; }

    /// <summary>Variables for the chat template.</summary>
    public IReadOnlyDictionary<string, JsonElement>? ChatTemplateKwargs { get; init; }

    /// <summary>Whether the model's own opening tokens stand before a text.</summary>
    public bool? AddSpecialTokens { get; init; }

    /// <summary>llama.cpp's name of it.</summary>
    public bool? AddSpecial { get; init; }

    /// <summary>Whether special tokens in a text count.</summary>
    public bool? ParseSpecial { get; init; }

    /// <summary>Whether the tokens' texts come too.</summary>
    public bool? ReturnTokenStrs { get; init; }

    /// <summary>Whether each token comes as an object.</summary>
    public bool? WithPieces { get; init; }
}
