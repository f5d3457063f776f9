namespace KvTiers.Inference.Tools;

/// <summary>What tells the formats apart.</summary>
public static class ToolFormats
{
    /// <summary>The format that a chat template writes calls in; <see cref="ToolFormat.Json"/> when it knows no functions, or writes them in a form that is none of these.</summary>
    /// <param name="template">The template's Jinja text.</param>
    public static ToolFormat Of(string template)
    {
        ArgumentNullException.ThrowIfNull(template);
        bool Has(string text) => template.Contains(text, StringComparison.Ordinal);
        if (!Has("tools"))
            return ToolFormat.Json;

        // Other families wrap XML in the same marks.
        if (Has("<tool_call>") && Has("</tool_call>") && !Has("<function=") && !Has("<arg_key>"))
            return ToolFormat.Hermes;
        if (Has("[TOOL_CALLS]") && !Has("[ARGS]"))
            return ToolFormat.Mistral;
        return Has("<|start_header_id|>") && Has("ipython") && Has("parameters") ? ToolFormat.Llama3 : ToolFormat.Json;
    }

    /// <summary>What a call begins with; null = nothing but the call itself.</summary>
    public static string? OpeningOf(ToolFormat format) => format switch
    {
        ToolFormat.Hermes => "<tool_call>",
        ToolFormat.Llama3 => "<|python_tag|>",
        ToolFormat.Mistral => "[TOOL_CALLS]",
        _ => null,
    };

    /// <summary>What a call ends with; null = nothing but the call itself.</summary>
    internal static string? ClosingOf(ToolFormat format) => format == ToolFormat.Hermes ? "</tool_call>" : null;

    /// <summary>Whether an answer that begins with a JSON object or array may be calls.</summary>
    internal static bool BeginsBare(ToolFormat format) => format is ToolFormat.Json or ToolFormat.Llama3;

    /// <summary>Whether calls may stand in a JSON array.</summary>
    internal static bool HasArrays(ToolFormat format) => format != ToolFormat.Hermes;
}
