using System.Text.Json;
using KvTiers.Inference.Model;
using KvTiers.Inference.Tokens;
using KvTiers.Silo.Http;
using KvTiers.Silo.Models;

namespace KvTiers.Silo.OpenAi;

/// <summary>Checks a text completion request. Every fault is a 400 that names the parameter.</summary>
internal static class TextRules
{
    private const int MostPrompts = 256;
    private const int DefaultMaxTokens = 16;

    /// <summary>The request, checked, its prompts encoded once the turn has the places that it asks for.</summary>
    /// <exception cref="ApiException">Something is missing, out of range, or not supported.</exception>
    public static TextCall Check(CompletionRequest request, LoadedModel model, TurnScope turn)
    {
        ModelConfig config = model.Config;
        int? topLogProbs = request.Logprobs is { } most ? CompletionRules.InRange(most, 0, 20, "logprobs") : null;
        bool echo = request.Echo ?? false;
        // An echo of nothing but the prompt is how a text's own probabilities are asked for.
        bool promptOnly = echo && request.MaxTokens == 0 && request.NPredict is null or 0;
        CompletionCall common = CompletionRules.Check(promptOnly ? request with { MaxTokens = null, NPredict = null } : request, topLogProbs, config, model.SamplingDefaults);
        if (request.BestOf is { } best && best != common.Choices && common.Beams is null)
            throw ApiException.Unsupported("best_of", "a value other than that of 'n'");
        if (echo && topLogProbs is not null && common.Stream)
            throw ApiException.Unsupported("stream", "streaming an echo with log probabilities");
        turn.Widen((long)PromptCount(request.Prompt) * common.SequenceCount, common.SequenceCount > 1 ? "n" : "prompt");
        int maxTokens = promptOnly ? 0 : common.MaxTokens ?? DefaultMaxTokens;
        return new TextCall([.. Prompts(request.Prompt, config, model.Tokenizer).Select(prompt => Shortened(prompt, common, model))], common, maxTokens, echo);
    }

    private static int PromptCount(JsonElement? prompt) =>
        prompt is { ValueKind: JsonValueKind.Array } list && list.GetArrayLength() is > 1 and <= MostPrompts and int count && list[0].ValueKind is JsonValueKind.String or JsonValueKind.Array ? count : 1;

    private static TextPrompt Shortened(TextPrompt prompt, CompletionCall common, LoadedModel model)
    {
        ReadOnlyMemory<int> ids = common.Shorten(prompt.Ids, model);
        return ids.Length == prompt.Ids.Length ? prompt : new TextPrompt(ids.ToArray(), model.Tokenizer.Decode(ids.Span, skipSpecial: false));
    }

    private static IReadOnlyList<TextPrompt> Prompts(JsonElement? prompt, ModelConfig model, Tokenizer tokenizer)
    {
        List<TextPrompt> prompts = prompt switch
        {
            { ValueKind: JsonValueKind.Array } list when list.GetArrayLength() == 0 => [],
            { ValueKind: JsonValueKind.Array } list when list[0].ValueKind is JsonValueKind.String or JsonValueKind.Array => Several(list, model, tokenizer),
            { } one => [One(one, "prompt", model, tokenizer)],
            null => throw ApiException.BadRequest("'prompt' is missing.", "prompt", ApiException.MissingParameter),
        };
        if (prompts.Count == 0 || prompts.Any(one => one.Ids.Length == 0))
            throw ApiException.BadRequest("'prompt' must not be empty.", "prompt");
        return prompts;
    }

    private static List<TextPrompt> Several(JsonElement list, ModelConfig model, Tokenizer tokenizer) => list.GetArrayLength() > MostPrompts
        ? throw ApiException.BadRequest($"'prompt' must hold at most {MostPrompts} prompts.", "prompt")
        : [.. list.EnumerateArray().Select((item, i) => One(item, $"prompt[{i}]", model, tokenizer))];

    private static TextPrompt One(JsonElement item, string param, ModelConfig model, Tokenizer tokenizer)
    {
        switch (item.ValueKind)
        {
            case JsonValueKind.String:
                // The text of a raw prompt is the caller's own: special tokens in it count.
                string text = SiloJson.Text(item, param);
                return new TextPrompt(tokenizer.Encode(text, parseSpecial: true), text);
            case JsonValueKind.Array:
                int[] ids = TokenIds(item, param, model);
                return new TextPrompt(ids, tokenizer.Decode(ids, skipSpecial: false));
            default:
                throw ApiException.BadRequest($"'{param}' must be a string or a list of token ids.", param);
        }
    }

    /// <summary>A list of token ids of the model.</summary>
    /// <exception cref="ApiException">400: an entry is none.</exception>
    public static int[] TokenIds(JsonElement list, string param, ModelConfig model)
    {
        int[] ids = new int[list.GetArrayLength()];
        int i = 0;
        foreach (JsonElement item in list.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt32(out int id) || id < 0 || id >= model.Vocabulary)
                throw ApiException.BadRequest($"'{param}[{i}]' must be a token id from 0 to {model.Vocabulary - 1}.", $"{param}[{i}]");
            ids[i++] = id;
        }

        return ids;
    }
}
