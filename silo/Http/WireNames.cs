using System.Text.Json;

namespace KvTiers.Silo.Http;

/// <summary>How a property of the engine or the sessions is called in a request.</summary>
internal static class WireNames
{
    /// <summary>The request's name for <paramref name="property"/>: snake_case, and OpenAI's own word where it has one.</summary>
    public static string Of(string property) => property switch
    {
        "TopLogProbs" => "top_logprobs",
        "StopStrings" => "stop",
        "MaxNewTokens" => "max_tokens",
        "MinNewTokens" => "min_tokens",
        "PromptLogProbs" => "prompt_logprobs",
        "IncludeStop" => "include_stop_str_in_output",
        "IgnoreEndOfText" => "ignore_eos",
        "Choices" => "n",
        _ => JsonNamingPolicy.SnakeCaseLower.ConvertName(property),
    };

    /// <summary>The message of a bad argument, with the request's name for the property and without the runtime's "(Parameter '…')".</summary>
    public static string Message(ArgumentException e)
    {
        string message = e.Message;
        int end = message.IndexOf(" (Parameter '", StringComparison.Ordinal);
        if (end >= 0) message = message[..end];
        return e.ParamName is { Length: > 0 } name && message.StartsWith(name + " ", StringComparison.Ordinal)
            ? $"'{Of(name)}'{message[name.Length..]}"
            : message;
    }
}
