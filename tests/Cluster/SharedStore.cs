using KvTiers.Client;
using KvTiers.Conversations;

namespace KvTiers.Cluster.Tests;

/// <summary>Servers in this process over one private Redis, and what tests say to them.</summary>
internal sealed class SharedStore : IAsyncDisposable
{
    // A busy machine is no reason for a server to give Redis up.
    private static readonly string[] Patience = ["--KvTiers:StoreDeadline=60s", "--KvTiers:RedisDeadline=60s"];

    private readonly List<SiloServer> _silos = [];
    private readonly List<HttpClient> _http = [];

    private SharedStore(RedisServer redis) => Redis = redis;

    /// <summary>Where the conversations are stored, and the blocks.</summary>
    public RedisServer Redis { get; }

    /// <summary>The servers.</summary>
    public IReadOnlyList<SiloServer> Silos => _silos;

    /// <summary>Starts so many servers, named <c>silo-1</c>, ….</summary>
    public static async Task<SharedStore> StartAsync(int silos, params string[] arguments)
    {
        Assert.SkipUnless(RedisServer.IsAvailable, RedisServer.Reason);
        var shared = new SharedStore(RedisServer.StartKeeping());
        for (int i = 1; i <= silos; i++)
        {
            shared._silos.Add(await SiloServer.StartAsync(
                ["--store", "redis", "--redis", shared.Redis.Configuration, "--name", $"silo-{i}", "--KvTiers:Promotion=always", .. Patience, .. arguments]));
        }

        return shared;
    }

    /// <summary>The conversations as a client of one server sees them.</summary>
    public IConversations ClientOf(int silo)
    {
        var http = new HttpClient { Timeout = Timeout.InfiniteTimeSpan };
        _http.Add(http);
        return new HttpConversations(http, new KvTiersClientOptions { BaseAddress = _silos[silo].Url });
    }

    /// <summary>Takes a turn to its end.</summary>
    public static async Task<TurnCompleted> SayAsync(IConversations silo, ConversationKey key, string text, long? expectedVersion = null, bool useCache = true)
    {
        var request = new TurnRequest
        {
            Mode = TurnMode.Append,
            Messages = [new ChatMessage("user", text)],
            ExpectedVersion = expectedVersion,
            Options = new GenerationOptions { MaxTokens = 4, Temperature = 0, UseCache = useCache },
        };
        await foreach (TurnEvent one in silo.TurnAsync(key, request))
            if (one is TurnCompleted completed) return completed;

        throw new InvalidOperationException("The stream ended before the turn was complete.");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (HttpClient http in _http) http.Dispose();
        foreach (SiloServer silo in _silos) await silo.DisposeAsync();
        Redis.Dispose();
    }
}
