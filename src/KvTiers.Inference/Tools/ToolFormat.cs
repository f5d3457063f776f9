namespace KvTiers.Inference.Tools;

/// <summary>How a model writes calls of functions: as its chat template writes those of the history.</summary>
public enum ToolFormat
{
    /// <summary>The answer is a JSON object with <c>name</c> and <c>arguments</c>, or several. For models whose template knows no functions, which are told so before the system prompt.</summary>
    Json,

    /// <summary>Hermes, Qwen: <c>&lt;tool_call&gt;</c>, a JSON object with <c>name</c> and <c>arguments</c>, <c>&lt;/tool_call&gt;</c>; text may stand around it.</summary>
    Hermes,

    /// <summary>Llama 3.x: the answer is a JSON object with <c>name</c> and <c>parameters</c>; <c>&lt;|python_tag|&gt;</c> may stand before it.</summary>
    Llama3,

    /// <summary>Mistral: <c>[TOOL_CALLS]</c> and a JSON array of objects with <c>name</c> and <c>arguments</c>; text may stand before it.</summary>
    Mistral,
}
