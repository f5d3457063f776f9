using KvTiers.Conversations;
using KvTiers.Orleans.Clients;
using KvTiers.Orleans.Placement;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace KvTiers.Orleans.Tests;

/// <summary>Silos in this process over one private Redis.</summary>
internal sealed class OrleansCluster : IAsyncDisposable
{
    public const string Tenant = "default";

    private readonly List<SiloServer> _silos = [];

    private readonly RedisServer? _redis;
    private readonly string _configuration;

    private OrleansCluster(RedisServer? redis, string configuration)
    {
        _redis = redis;
        _configuration = configuration;
    }

    public RedisServer Redis => _redis ?? throw new InvalidOperationException("It stands on a Redis Cluster.");

    public IReadOnlyList<SiloServer> Silos => _silos;

    /// <summary>Starts so many silos, named <c>silo-1</c>, …; each knows of the others when this returns.</summary>
    public static Task<OrleansCluster> StartAsync(int silos, params string[] arguments)
    {
        Assert.SkipUnless(RedisServer.IsAvailable, RedisServer.Reason);
        var redis = new RedisServer();
        return StartAsync(new OrleansCluster(redis, redis.Configuration), silos, arguments);
    }

    /// <summary>The same, with a tier of blocks on that Redis.</summary>
    public static Task<OrleansCluster> StartWithBlocksAsync(int silos, params string[] arguments)
    {
        Assert.SkipUnless(RedisServer.IsAvailable, RedisServer.Reason);
        var redis = new RedisServer();
        return StartAsync(new OrleansCluster(redis, redis.Configuration), silos, ["--redis", redis.Configuration, "--KvTiers:RedisDeadline=60s", "--KvTiers:Promotion=always", .. arguments]);
    }

    /// <summary>The same over a Redis Cluster, which is its owner's to end.</summary>
    public static Task<OrleansCluster> StartAsync(RedisCluster redis, int silos, params string[] arguments) =>
        StartAsync(new OrleansCluster(null, redis.Configuration), silos, arguments);

    private static async Task<OrleansCluster> StartAsync(OrleansCluster cluster, int silos, string[] arguments)
    {
        for (int i = 1; i <= silos; i++)
            await cluster.AddAsync($"silo-{i}", arguments);
        await cluster.ExchangeAsync();
        return cluster;
    }

    public static ConversationKey Key(string id) => new(Tenant, id);

    /// <summary>What requests of a silo go through.</summary>
    public IConversations Door(int silo) => _silos[silo].Model.Conversations;

    /// <summary>Conversations in a silo's memory.</summary>
    public int ActiveOn(int silo) => _silos[silo].Model.ChatParts.Conversations!.Snapshot().Active;

    /// <summary>The only silo that has a conversation in memory.</summary>
    public int HolderOf(string id) =>
        Enumerable.Range(0, _silos.Count).Single(silo => _silos[silo].Model.ChatParts.Conversations!.IsActive(Key(id)));

    public Task<ClusterClient> ConnectAsync() => ClusterClient.ConnectAsync(new ClusterClientOptions { Redis = _configuration, ClusterId = "tests", ServiceId = "tests" });

    /// <summary>Waits until every silo has told what it holds now, and has read what all tell.</summary>
    public async Task ExchangeAsync()
    {
        foreach (int _ in Enumerable.Range(0, 2))
        {
            (ReportRounds Exchange, long Rounds)[] before = [.. _silos.Select(silo => silo.Services.GetServices<IHostedService>().OfType<ReportRounds>().Single()).Select(exchange => (exchange, exchange.Rounds))];
            await Eventually.TrueAsync(() => before.All(one => one.Exchange.Rounds > one.Rounds + 1));
        }
    }

    /// <summary>Has the cluster give up every grain, as it does with those that have long been idle, and waits until no conversation is in memory.</summary>
    public Task GiveUpAllAsync()
    {
        IManagementGrain management = _silos[0].Services.GetRequiredService<IGrainFactory>().GetGrain<IManagementGrain>(0);
        return Eventually.TrueAsync(async () =>
        {
            await management.ForceActivationCollection(TimeSpan.Zero);
            return Enumerable.Range(0, _silos.Count).Sum(ActiveOn) == 0;
        });
    }

    public static async Task<TurnCompleted> SayAsync(IConversations door, string id, string text, GenerationOptions? options = null)
    {
        var request = new TurnRequest { Messages = [new ChatMessage("user", text)], Options = options ?? new() { MaxTokens = 6, Temperature = 0 } };
        TurnCompleted? completed = null;
        await foreach (TurnEvent one in door.TurnAsync(Key(id), request))
            completed = one as TurnCompleted ?? completed;
        return completed!;
    }

    public static Task<ConversationView> CreateAsync(IConversations door, string id, string system) =>
        door.CreateAsync(Tenant, new CreateConversation { Id = id, Messages = [new ChatMessage("system", system)] });

    public async ValueTask DisposeAsync()
    {
        foreach (SiloServer silo in _silos)
            await silo.DisposeAsync();
        _redis?.Dispose();
    }

    private async Task AddAsync(string name, string[] arguments)
    {
        _silos.Add(await SiloServer.StartAsync([
            "--cluster", _configuration, "--name", name, "--KvTiers:StoreDeadline=60s",
            "--KvTiers:Orleans:ClusterId=tests", "--KvTiers:Orleans:ServiceId=tests", "--KvTiers:Orleans:PublishEvery=100ms",
            "--Logging:LogLevel:Orleans=Error", .. arguments]));
    }
}
