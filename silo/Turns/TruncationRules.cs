using KvTiers.Conversations;
using KvTiers.Silo.Http;

namespace KvTiers.Silo.Turns;

/// <summary>Checks <c>truncation</c>, as OpenAI has it.</summary>
internal static class TruncationRules
{
    /// <summary>What was asked for; null = nothing was.</summary>
    /// <exception cref="ApiException">400: it is neither <c>auto</c> nor <c>disabled</c>.</exception>
    public static Truncation? Check(string? truncation) => truncation switch
    {
        null => null,
        "auto" => Truncation.Auto,
        "disabled" => Truncation.Disabled,
        _ => throw ApiException.BadRequest($"'truncation' is '{truncation}'; it must be auto or disabled.", "truncation"),
    };
}
