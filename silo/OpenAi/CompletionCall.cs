using KvTiers.Conversations;
using KvTiers.Inference.Model;
using KvTiers.Inference.Scheduling;
using KvTiers.Silo.Http;
using KvTiers.Silo.Models;
using KvTiers.Silo.Turns;

namespace KvTiers.Silo.OpenAi;

/// <summary>The checked parameters that chat and text completions have in common.</summary>
internal sealed record CompletionCall
{
    /// <summary>How tokens are chosen; log probabilities included.</summary>
    public required SamplingOptions Sampling { get; init; }

    /// <summary>How the likeliest answers as wholes are looked for; null = tokens are chosen one by one.</summary>
    public required BeamSearchOptions? Beams { get; init; }

    /// <summary>Most tokens to generate; null = as the kind of call has it.</summary>
    public required int? MaxTokens { get; init; }

    /// <summary>Answers to each prompt.</summary>
    public required int Choices { get; init; }

    /// <summary>Answers that are computed side by side for each prompt: the choices, or the beams.</summary>
    public int SequenceCount => Beams?.Width ?? Choices;

    /// <summary>Strings that end the answer.</summary>
    public required IReadOnlyList<string> Stop { get; init; }

    /// <summary>Tokens that end the answer.</summary>
    public required IReadOnlyList<int> StopTokenIds { get; init; }

    /// <summary>Whether what ended the answer is its end.</summary>
    public required bool IncludeStop { get; init; }

    /// <summary>Whether the answer goes on past the end of the text.</summary>
    public required bool IgnoreEndOfText { get; init; }

    /// <summary>Least number of tokens to generate.</summary>
    public required int MinTokens { get; init; }

    /// <summary>Text that the answer never holds.</summary>
    public required IReadOnlyList<string> BadWords { get; init; }

    /// <summary>What the answer must look like, and the field that says so; null = anything.</summary>
    public required (AnswerFormat Format, string Param)? Form { get; init; }

    /// <summary>Keeps the request's blocks apart from those under other salts; null = none.</summary>
    public required string? CacheSalt { get; init; }

    /// <summary>False computes the whole prompt.</summary>
    public required bool UseCache { get; init; }

    /// <summary>Most tokens of the prompt, whose end is kept; −1 = as many as fit; null = all.</summary>
    public required int? PromptTokens { get; init; }

    /// <summary>Alternatives to report beside each token of the prompt; null = none.</summary>
    public required int? PromptLogProbs { get; init; }

    /// <summary>Whether the answer is sent piece by piece.</summary>
    public required bool Stream { get; init; }

    /// <summary>Whether a stream's last piece carries the usage.</summary>
    public required bool IncludeUsage { get; init; }

    /// <summary>The prompt, shortened as was asked for.</summary>
    /// <param name="prompt">Its tokens.</param>
    /// <param name="model">Whose context it is to fit.</param>
    public ReadOnlyMemory<int> Shorten(int[] prompt, LoadedModel model)
    {
        int most = PromptTokens switch
        {
            null => prompt.Length,
            -1 => model.Engine.MaxTokenCount - 1,
            int count => count,
        };
        return prompt.AsMemory(Math.Max(0, prompt.Length - most));
    }

    /// <summary>What the engine is asked for.</summary>
    /// <param name="prompt">The prompt's tokens.</param>
    /// <param name="maxTokens">Most tokens to generate.</param>
    /// <param name="model">What answers.</param>
    /// <param name="tenant">Who asks.</param>
    /// <exception cref="ApiException">400: the answer cannot be held to the form that is asked for.</exception>
    public GenerationRequest Generation(ReadOnlyMemory<int> prompt, int maxTokens, LoadedModel model, string tenant) => new()
    {
        Prompt = prompt,
        Sampling = Sampling,
        Beams = Beams,
        MaxNewTokens = maxTokens,
        MinNewTokens = MinTokens,
        StopStrings = Stop,
        StopTokenIds = StopTokenIds,
        IncludeStop = IncludeStop,
        IgnoreEndOfText = IgnoreEndOfText,
        BadWords = BadWords,
        Constraint = AnswerForm.ConstraintFor(Form?.Format, Form?.Param ?? "", model),
        Choices = Choices,
        Tenant = tenant,
        TenantSalt = model.Salts.For(tenant, CacheSalt),
        UseCache = UseCache,
        PromptLogProbs = PromptLogProbs,
    };
}
