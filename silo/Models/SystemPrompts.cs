using KvTiers.Conversations;
using KvTiers.Inference.Scheduling;
using KvTiers.Inference.Tokens;
using KvTiers.Sessions.Secrets;
using KvTiers.Silo.Configuration;

namespace KvTiers.Silo.Models;

/// <summary>Computes the system prompts of the settings at start, or loads them from a colder tier, so that the first conversation with one finds it.</summary>
internal sealed partial class SystemPrompts(Engine engine, ChatPrompt prompt, TenantSalts salts, ILogger logger)
{
    // Above the default 0: they go only when nothing else is left to go.
    private const int Priority = 8;

    /// <summary>Computes every prompt for every tenant.</summary>
    /// <exception cref="StartException">A prompt does not fit the model's context or the hot tier, or the model's template takes no system prompt.</exception>
    public async Task ComputeAsync(IReadOnlyList<string> texts, IReadOnlyList<string> tenants, CancellationToken cancellationToken)
    {
        for (int i = 0; i < texts.Count; i++)
        {
            int[] tokens = Encode(texts[i], i);
            foreach (string tenant in tenants)
            {
                GenerationResult result = await SubmitAsync(tokens, tenant, i, cancellationToken);
                int blocks = engine.Cache.SetPriority(engine.RootFor(salts.For(tenant)), tokens, Priority);
                Computed(logger, i, tenant, tokens.Length, result.ComputedTokenCount, blocks);
            }
        }
    }

    // What every conversation with the prompt begins with: the tokens that two of them have in common.
    private int[] Encode(string text, int index)
    {
        var system = new ChatMessage("system", text);
        try
        {
            int[] one = prompt.Encode([system, new ChatMessage("user", "A")], addGenerationPrompt: true).Ids;
            int[] other = prompt.Encode([system, new ChatMessage("user", "7")], addGenerationPrompt: true).Ids;
            int[] common = one[..one.AsSpan().CommonPrefixLength(other)];
            return common.Length > 0 ? common : throw Wrong(index, "a text that the model's chat template begins with", null);
        }
        catch (TemplateException e)
        {
            throw Wrong(index, $"removed: the model's chat template takes no system prompt ({e.Message})", e);
        }
    }

    private async Task<GenerationResult> SubmitAsync(int[] tokens, string tenant, int index, CancellationToken cancellationToken)
    {
        try
        {
            var request = new GenerationRequest { Prompt = tokens, MaxNewTokens = 0, TenantSalt = salts.For(tenant) };
            return await engine.Submit(request, cancellationToken).Completion.WaitAsync(cancellationToken);
        }
        catch (PromptTooLongException e)
        {
            throw Wrong(index, $"shorter ({e.Message})", e);
        }
    }

    private static StartException Wrong(int index, string rule, Exception? inner) =>
        inner is null ? new StartException(Line(index, rule)) : new StartException(Line(index, rule), inner);

    private static string Line(int index, string rule) => $"KvTiers:SystemPrompts:{index}: must be {rule}.";

    [LoggerMessage(1, LogLevel.Information, "System prompt {Number} for tenant {Tenant}: {Tokens} tokens, {Computed} of them computed, {Blocks} blocks")]
    private static partial void Computed(ILogger logger, int number, string tenant, int tokens, int computed, int blocks);
}
