using KvTiers.Conversations;
using KvTiers.Silo.Http;

namespace KvTiers.Silo.Turns;

/// <summary>Holds the functions of a request to the rules that all APIs share, under the names that each has for them.</summary>
internal static class ToolUseRules
{
    /// <summary>The functions, held to the rules that every API has.</summary>
    /// <param name="use">The functions.</param>
    /// <param name="name">What the request calls a function's name, within <c>tools[i]</c>.</param>
    /// <param name="parameters">What it calls the schema of the arguments there.</param>
    /// <exception cref="ApiException">A rule is broken.</exception>
    public static ToolUse Valid(ToolUse use, string name, string parameters)
    {
        try
        {
            use.Validate();
            return use;
        }
        catch (ArgumentException e)
        {
            // What is wrong comes first: a member of the functions, under our own names.
            string at = e.Message[..e.Message.IndexOf(' ', StringComparison.Ordinal)]
                .Replace("Definitions", "tools", StringComparison.Ordinal)
                .Replace("].Name", "]." + name, StringComparison.Ordinal)
                .Replace("].Parameters", "]." + parameters, StringComparison.Ordinal)
                .Replace("Allowed", "tool_choice", StringComparison.Ordinal);
            string rule = e.Message[e.Message.IndexOf(' ', StringComparison.Ordinal)..e.Message.IndexOf(" (Parameter", StringComparison.Ordinal)];
            throw ApiException.BadRequest($"'{at}'{rule}", at, null, e);
        }
    }
}
