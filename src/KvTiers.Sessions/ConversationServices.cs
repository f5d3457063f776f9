using System.Security.Cryptography;
using KvTiers.Conversations;
using KvTiers.Inference.Scheduling;
using KvTiers.Inference.Tokens;
using KvTiers.Prefix;
using KvTiers.Sessions.Changes;
using KvTiers.Sessions.Erasure;
using KvTiers.Sessions.Log;
using KvTiers.Sessions.Secrets;
using KvTiers.Sessions.Storage;

namespace KvTiers.Sessions;

/// <summary>What the conversations of one process work with, whatever hosts them. Owns nothing of it.</summary>
public sealed class ConversationServices
{
    /// <summary>Conversations that <paramref name="engine"/> answers and <paramref name="store"/> keeps.</summary>
    /// <exception cref="ArgumentException">An option is out of range, or prompt and engine have different tokenizers.</exception>
    public ConversationServices(Engine engine, ChatPrompt prompt, IConversationStore store, TenantSalts salts, ConversationOptions options, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(engine);
        ArgumentNullException.ThrowIfNull(prompt);
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(salts);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        if (prompt.Tokenizer != engine.Tokenizer)
            throw new ArgumentException("The chat prompt and the engine must have the same tokenizer.", nameof(prompt));
        Engine = engine;
        Prompt = prompt;
        Store = store;
        Salts = salts;
        Options = options;
        Time = time ?? TimeProvider.System;
        Encoder = new(prompt);
        Pins = new(engine.Cache, options.PinnedShare);
        Vocabulary = FingerprintOf(engine.Tokenizer);
        Erasures = new(store, new(engine.Cache, engine.Tiers, Paths, Time), engine.Tiers, options.Owner, Time);

        // Without colder tiers nothing is left of what was before.
        if (engine.Tiers is not null)
            Paths.Begin(StoredPathsAsync());
    }

    /// <summary>Computes the answers.</summary>
    public Engine Engine { get; }

    /// <summary>Turns messages into tokens.</summary>
    public ChatPrompt Prompt { get; }

    /// <summary>Keeps the conversations.</summary>
    public IConversationStore Store { get; }

    /// <summary>Keeps tenants apart.</summary>
    public TenantSalts Salts { get; }

    /// <summary>The settings.</summary>
    public ConversationOptions Options { get; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; }

    /// <summary>Names this process, which alone has the hot blocks that it computed.</summary>
    public string HostId { get; } = Guid.NewGuid().ToString("n");

    /// <summary>Fingerprint of the vocabulary. Tokens logged under another one are encoded anew.</summary>
    public string Vocabulary { get; }

    internal LogEncoder Encoder { get; }

    internal PinBudget Pins { get; }

    /// <summary>What the stored conversations use.</summary>
    internal SharedPaths Paths { get; } = new();

    /// <summary>What deletions and edits owe the colder tiers.</summary>
    internal Erasures Erasures { get; }

    /// <summary>The hash that a tenant's blocks begin from.</summary>
    public BlockHash RootFor(string tenant) => RootFor(tenant, cacheSalt: null);

    /// <summary>The hash that those of a tenant's blocks begin from that are under a cache salt; null = none.</summary>
    public BlockHash RootFor(string tenant, string? cacheSalt) => Engine.RootFor(Salts.For(tenant, cacheSalt));

    /// <summary>The path of tokens through a namespace, in this cache's blocks.</summary>
    internal BlockPath PathOf(BlockHash root, ReadOnlySpan<int> tokens) => new(root, Engine.Cache.Shape.BlockSize, tokens);

    /// <summary>The tokens of a log as this model knows them: those of another vocabulary mean nothing to it.</summary>
    internal TokenLog KnownLog(ConversationState state) => state.Vocabulary == Vocabulary ? state.Log : TokenLog.Empty;

    private async IAsyncEnumerable<(ConversationKey Key, BlockPath Path)> StoredPathsAsync()
    {
        await foreach (ConversationState state in Store.ReadAllAsync().ConfigureAwait(false))
            yield return (state.Key, PathOf(RootFor(state.Key.Tenant, state.CacheSalt), KnownLog(state).Tokens.Span));
    }

    private static string FingerprintOf(Tokenizer tokenizer)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> head = stackalloc byte[5];
        for (int id = 0; id < tokenizer.VocabularySize; id++)
        {
            ReadOnlySpan<byte> bytes = tokenizer.TokenBytes(id);
            BitConverter.TryWriteBytes(head, bytes.Length);
            head[4] = tokenizer.IsSpecial(id) ? (byte)1 : (byte)0;
            hash.AppendData(head);
            hash.AppendData(bytes);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 8));
    }
}
