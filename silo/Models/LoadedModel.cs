using System.Diagnostics.CodeAnalysis;
using KvTiers.Conversations;
using KvTiers.Inference.Model;
using KvTiers.Inference.Scheduling;
using KvTiers.Inference.Tokens;
using KvTiers.Sessions.Secrets;
using KvTiers.Silo.Configuration;
using KvTiers.Silo.Http;

namespace KvTiers.Silo.Models;

/// <summary>A model with all that answers through it: tokenizer, chat template, cache, engine, conversations.</summary>
internal sealed class LoadedModel : IAsyncDisposable
{
    /// <summary>The model's name: its folder's or file's.</summary>
    public required string Name { get; init; }

    /// <summary>When its weights were written.</summary>
    public required DateTimeOffset WrittenAt { get; init; }

    /// <summary>The weights.</summary>
    public required LanguageModel Weights { get; init; }

    /// <summary>Which engine the weights are in.</summary>
    public required EngineKind EngineKind { get; init; }

    /// <summary>Text to token ids and back.</summary>
    public required Tokenizer Tokenizer { get; init; }

    /// <summary>What chatting takes, or why the model cannot.</summary>
    public required ChatParts ChatParts { get; init; }

    /// <summary>Messages to token ids.</summary>
    /// <exception cref="ApiException">400: the model cannot chat.</exception>
    public ChatPrompt Chat => ChatParts.Prompt ?? throw CannotChat();

    /// <summary>Keeps tenants apart.</summary>
    public required TenantSalts Salts { get; init; }

    /// <summary>How tokens are chosen where a request does not say.</summary>
    public required SamplingOptions SamplingDefaults { get; init; }

    /// <summary>The hot tier.</summary>
    public required KvCache Cache { get; init; }

    /// <summary>What computes.</summary>
    public required Engine Engine { get; init; }

    /// <summary>How long the end may take to hand hot blocks down to tiers that outlive the process.</summary>
    public required TimeSpan FlushTime { get; init; }

    /// <summary>Share of the room for prompts that a cut leaves filled.</summary>
    public required double ContextKeep { get; init; }

    /// <summary>The conversations.</summary>
    /// <exception cref="ApiException">400: the model cannot chat.</exception>
    public IConversations Conversations => ChatParts.Door ?? throw CannotChat();

    /// <summary>The model's shape.</summary>
    public ModelConfig Config => Weights.Config;

    /// <summary>Changes when the model or its arithmetic changes.</summary>
    public string SystemFingerprint => "fp_" + Convert.ToHexStringLower(Weights.Fingerprint.Span[..8]);

    /// <summary>Throws when a request asks for another model.</summary>
    /// <param name="name">The name asked for; null = any.</param>
    /// <exception cref="ApiException">404: there is no such model here.</exception>
    public void CheckName(string? name)
    {
        if (name is not null && name != Name)
            throw ApiException.NotFound($"The model '{name}' does not exist here. There is: '{Name}'.", "model", "model_not_found");
    }

    /// <summary>True when the token ends a text.</summary>
    public bool EndsText(int tokenId) => Tokenizer.EndOfText.Contains(tokenId);

    /// <summary>A log probability with the tokens' texts.</summary>
    [return: NotNullIfNotNull(nameof(logProb))]
    public TokenLogProbView? View(TokenLogProb? logProb) => logProb is null ? null : new TokenLogProbView
    {
        TokenId = logProb.Id,
        Text = TokenText.Of(logProb.Id, Tokenizer),
        LogProb = TokenText.Finite(logProb.LogProb),
        Top = [.. logProb.Top.Select(other => new TokenLogProbView { TokenId = other.Id, Text = TokenText.Of(other.Id, Tokenizer), LogProb = TokenText.Finite(other.LogProb) })],
    };

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (ChatParts.Conversations is { } conversations) await conversations.DisposeAsync();
        if (ChatParts.Store is IAsyncDisposable store) await store.DisposeAsync();
        await Engine.DisposeAsync();
        if (Engine.Tiers is { } tiers)
        {
            using var patience = new CancellationTokenSource(FlushTime);
            await ((Task)tiers.FlushAsync(patience.Token)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await tiers.DisposeAsync();
        }

        Cache.Dispose();
        Weights.Dispose();
    }

    private ApiException CannotChat() =>
        ApiException.BadRequest($"The model '{Name}' cannot chat: {ChatParts.Failure} It completes text at /v1/completions.", "model", "no_chat_template");
}
