using KvTiers.Blocks;
using KvTiers.Inference.Model;
using KvTiers.Inference.Tokens;
using KvTiers.Tiers;
using KvTiers.Tiers.Encodings;

namespace KvTiers.Silo.Configuration;

/// <summary>Every setting of the server, read and checked. Section <c>KvTiers</c> of the configuration.</summary>
internal sealed record SiloOptions
{
    /// <summary>The model: a folder with <c>config.json</c>, <c>tokenizer.json</c> and <c>*.safetensors</c>, or a <c>.gguf</c> file. Absolute once read.</summary>
    public string Model { get; init; } = "models/demo";

    /// <summary>Addresses to listen on. Only loopback ones while there are no API keys.</summary>
    public IReadOnlyList<string> Urls { get; init; } = ["http://127.0.0.1:5080"];

    /// <summary>Folder for what the server keeps: conversations. Absolute once read.</summary>
    public string Data { get; init; } = ".kvtiers";

    /// <summary>Capacity of the hot tier in bytes; at least 1 MiB, at most the machine's memory.</summary>
    public long HotBytes { get; init; } = 512L << 20;

    /// <summary>Capacity of the RAM tier in bytes; 0 for none, at most the machine's memory.</summary>
    public long RamBytes { get; init; }

    /// <summary>Capacity of the disk tier, in the data folder, in bytes; 0 for none.</summary>
    public long DiskBytes { get; init; }

    /// <summary>Bytes of the data folder's file system that the disk tier leaves free; null: a twentieth of it, at most 1 GiB.</summary>
    public long? DiskKeepFreeBytes { get; init; }

    /// <summary>Address of a Redis server that shares blocks with other silos, in StackExchange.Redis's own form; none: no Redis tier.</summary>
    public string? Redis { get; init; }

    /// <summary>Capacity of the Redis tier over all silos, in bytes.</summary>
    public long RedisBytes { get; init; } = 1L << 30;

    /// <summary>How long a call to the Redis tier may take before it counts as a miss; 10 ms to 60 s.</summary>
    public TimeSpan RedisDeadline { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Bytes of blocks that are asked for at one time from the Redis tier, at least one block; 64 KiB to 1 GiB.</summary>
    public long RedisReadAtOnceBytes { get; init; } = 8 << 20;

    /// <summary>How the RAM tier stores elements; all but the hot format as it is may lose bits.</summary>
    public BlockEncoding RamFormat { get; init; }

    /// <summary>How the disk tier stores elements.</summary>
    public BlockEncoding DiskFormat { get; init; }

    /// <summary>How the Redis tier stores elements.</summary>
    public BlockEncoding RedisFormat { get; init; }

    /// <summary>Where conversations are stored.</summary>
    public StoreKind Store { get; init; }

    /// <summary>Redis server that conversations are stored on; set when <see cref="Store"/> is <see cref="StoreKind.Redis"/>, and then by default the cluster's, or <see cref="Redis"/>.</summary>
    public string? StoreRedis { get; init; }

    /// <summary>How long a conversation stays in Redis after its last change, one minute to ten years; null: until it is deleted.</summary>
    public TimeSpan? StoreTtl { get; init; }

    /// <summary>How long a call to the store on Redis may take, with its repetitions; 10 ms to 60 s.</summary>
    public TimeSpan StoreDeadline { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How this server is an Orleans silo.</summary>
    public OrleansSettings Orleans { get; init; } = new();

    /// <summary>Bytes that one tenant's blocks may take up over all tiers together; 0 for no bound.</summary>
    public long TenantBytes { get; init; }

    /// <summary>Fractions of free hot blocks between which blocks are demoted in the background; null: when a request needs the room.</summary>
    public Watermarks? Watermarks { get; init; }

    /// <summary>When blocks are copied to the disk tier.</summary>
    public WritePolicy DiskWrite { get; init; } = WritePolicy.OnDemote;

    /// <summary>When blocks are copied to the Redis tier.</summary>
    public WritePolicy RedisWrite { get; init; } = WritePolicy.OnSeal;

    /// <summary>Which blocks of colder tiers are loaded rather than recomputed.</summary>
    public PromotionPolicy Promotion { get; init; } = PromotionPolicy.ByRate;

    /// <summary>System prompts that are computed at start, for every tenant, and rank above other blocks.</summary>
    public IReadOnlyList<string> SystemPrompts { get; init; } = [];

    /// <summary>How long before a conversation's expected return its blocks are loaded from colder tiers; 0 for not at all, at most 10 minutes.</summary>
    public TimeSpan WarmAhead { get; init; }

    /// <summary>Element format of the hot blocks.</summary>
    public KvFormat Kv { get; init; } = KvFormat.F32;

    /// <summary>Element format of the weights in memory.</summary>
    public WeightFormat Weights { get; init; } = WeightFormat.AsStored;

    /// <summary>Packed weights are kept in the data folder, for later starts to map.</summary>
    public bool WeightCache { get; init; } = true;

    /// <summary>What computes.</summary>
    public EngineKind Engine { get; init; }

    /// <summary>Threads that compute, 1 to 64.</summary>
    public int Threads { get; init; } = Math.Min(64, Environment.ProcessorCount);

    /// <summary>File of API keys and of what their tenants may take; none: one tenant, loopback only.</summary>
    public string? ApiKeyFile { get; init; }

    /// <summary>The secret that tenants' salts are made of, 32 bytes, as all servers that share a tier have it; null: the file's, or one that this server makes.</summary>
    public byte[]? TenantSecret { get; init; }

    /// <summary>File that holds the secret; none: see <see cref="TenantSecret"/>.</summary>
    public string? TenantSecretFile { get; init; }

    /// <summary>The keys of records that leave the process.</summary>
    public RecordSettings Records { get; init; } = new();

    /// <summary>Name of this silo, as answers carry it.</summary>
    public string Name { get; init; } = Environment.MachineName;

    /// <summary>Share of the hot tier that prompts' cache breakpoints may keep from eviction, 0 to 1; with several tenants, one of them half of it.</summary>
    public double BreakpointShare { get; init; } = 0.25;

    /// <summary>Most tokens of an answer where the request does not say, 1 to 1,000,000.</summary>
    public int AnswerTokens { get; init; } = 512;

    /// <summary>What is done when a conversation outgrows the model's context.</summary>
    public ContextSettings Context { get; init; } = new();

    /// <summary>Answers computed or waiting at one time, 1 to 100,000; one more, or one beyond its tenant's share, is refused as busy.</summary>
    public int MaxTurns { get; init; } = 256;

    /// <summary>Largest request body in bytes; 1 KiB to 1 GiB.</summary>
    public long MaxBodyBytes { get; init; } = 16L << 20;

    /// <summary>What one rendering of a chat by the model's template may take.</summary>
    public TemplateLimits Template { get; init; } = new();

    /// <summary>Host names beside loopback ones that the server answers under while there are no API keys; <c>*</c> = any.</summary>
    public IReadOnlyList<string> AllowedHosts { get; init; } = [];

    /// <summary>Origins beside loopback ones whose web pages may use the server: <c>https://example.com</c>, a scheme such as <c>app://</c>, <c>null</c>, or <c>*</c> for all.</summary>
    public IReadOnlyList<string> CorsOrigins { get; init; } = [];

    /// <summary>True lets fields of a request pass that the server does not know; else they are refused.</summary>
    public bool IgnoreUnknownFields { get; init; }

    /// <summary>How long running turns may go on after a stop was asked for; 0 to 10 minutes.</summary>
    public TimeSpan StopGrace { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Prices of tokens.</summary>
    public PriceOptions Prices { get; init; } = new();
}
