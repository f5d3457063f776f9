using System.Text.Json;

namespace KvTiers.Silo.Anthropic;

/// <summary>What <c>/v1/messages</c> and <c>/v1/messages/count_tokens</c> have in common, as a caller sends it: the prompt.</summary>
internal record PromptParameters
{
    /// <summary>Name of the model; absent = the one that is loaded.</summary>
    public string? Model { get; init; }

    /// <summary>What comes before all messages: a string, or a list of text blocks.</summary>
    public JsonElement? System { get; init; }

    /// <summary>The whole history.</summary>
    public IReadOnlyList<MessageParameter>? Messages { get; init; }

    /// <summary>A breakpoint at the end of the last message.</summary>
    public JsonElement? CacheControl { get; init; }

    /// <summary>How the answer is written.</summary>
    public OutputConfigParameter? OutputConfig { get; init; }

    /// <summary>Older name of the format in <c>output_config</c>.</summary>
    public OutputFormatParameter? OutputFormat { get; init; }

    /// <summary>The functions that the answer may call.</summary>
    public IReadOnlyList<ToolParameter>? Tools { get; init; }

    /// <summary>Whether the answer calls any, and which.</summary>
    public ToolChoiceParameter? ToolChoice { get; init; }
}
