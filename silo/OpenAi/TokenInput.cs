using System.Text.Json;
using KvTiers.Inference.Model;
using KvTiers.Inference.Tokens;
using KvTiers.Silo.Http;

namespace KvTiers.Silo.OpenAi;

/// <summary>Reads a parameter that is one or several texts, or one or several lists of token ids.</summary>
internal static class TokenInput
{
    /// <summary>The token ids of each.</summary>
    /// <param name="input">The parameter.</param>
    /// <param name="param">Its name.</param>
    /// <param name="most">How many it may hold.</param>
    /// <param name="parseSpecial">Whether the text of a special token in them is that token.</param>
    /// <param name="model">The loaded model's shape.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <exception cref="ApiException">400: it is none of these, or one is empty.</exception>
    public static IReadOnlyList<int[]> Read(JsonElement? input, string param, int most, bool parseSpecial, ModelConfig model, Tokenizer tokenizer)
    {
        if (input is not { } given) throw ApiException.BadRequest($"'{param}' is missing.", param, ApiException.MissingParameter);
        bool isSeveral = given.ValueKind == JsonValueKind.Array && given.GetArrayLength() > 0 && given[0].ValueKind is JsonValueKind.String or JsonValueKind.Array;
        if (isSeveral && given.GetArrayLength() > most) throw ApiException.BadRequest($"'{param}' must hold at most {most} inputs.", param);
        List<int[]> inputs = isSeveral ? [.. given.EnumerateArray().Select((item, i) => One(item, $"{param}[{i}]"))] : [One(given, param)];
        int empty = inputs.FindIndex(ids => ids.Length == 0);
        if (empty < 0) return inputs;
        string at = isSeveral ? $"{param}[{empty}]" : param;
        throw ApiException.BadRequest($"'{at}' must not be empty.", at);

        int[] One(JsonElement item, string at) => item.ValueKind switch
        {
            JsonValueKind.String => tokenizer.Encode(SiloJson.Text(item, at), parseSpecial),
            JsonValueKind.Array => TextRules.TokenIds(item, at, model),
            _ => throw ApiException.BadRequest($"'{at}' must be a string or a list of token ids.", at),
        };
    }
}
