using System.Buffers;
using KvTiers.Serialization;
using MessagePack;
using StackExchange.Redis;

namespace KvTiers.Orleans.Placement;

/// <summary>Summaries on Redis, one server or a cluster of them: a hash for each silo, so each on one node, with its report under <c>r</c> and its blocks under <c>b</c>, both MessagePack, that expires when the silo is gone.</summary>
internal sealed class RedisSummaryChannel : ISummaryChannel, IAsyncDisposable
{
    // The first member of either value. A reader that does not know it takes the silo for one that tells nothing.
    private const int FormatVersion = 1;

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(1);

    private readonly Lazy<Task<ConnectionMultiplexer>> _connection;
    private readonly string _prefix;

    public RedisSummaryChannel(string configuration, string clusterId)
    {
        _prefix = $"kvo:1:{clusterId}:";
        _connection = new(() =>
        {
            ConfigurationOptions options = ConfigurationOptions.Parse(configuration);
            options.AbortOnConnectFail = false;
            return ConnectionMultiplexer.ConnectAsync(options);
        });
    }

    public Task PublishAsync(string silo, SiloReport report, BlockSummary? summary, TimeSpan timeToLive) => CallAsync(async database =>
    {
        var reported = new HashEntry("r", Encode(report));
        RedisKey key = _prefix + silo;

        // The report last, and both in one command: who reads a version finds its blocks.
        await database.HashSetAsync(key, summary is null ? [reported] : [new HashEntry("b", Encode(summary)), reported]).ConfigureAwait(false);
        return await database.KeyExpireAsync(key, timeToLive).ConfigureAwait(false);
    });

    public async Task<SiloReport?[]> ReadReportsAsync(IReadOnlyList<string> silos)
    {
        Task<RedisValue>[] reads = [.. silos.Select(silo => CallAsync(database => database.HashGetAsync(_prefix + silo, "r")))];
        try
        {
            await Task.WhenAll(reads).ConfigureAwait(false);
        }
        catch (IOException) when (reads.Any(read => read.IsCompletedSuccessfully))
        {
            // Of a Redis Cluster one node may be away: those whose reports are there tell nothing for now.
        }

        return [.. reads.Select(read => read.IsCompletedSuccessfully ? DecodeReport((byte[]?)read.Result) : null)];
    }

    public Task<BlockSummary?> ReadSummaryAsync(string silo) => CallAsync(async database =>
        DecodeSummary((byte[]?)await database.HashGetAsync(_prefix + silo, "b").ConfigureAwait(false)));

    public async ValueTask DisposeAsync()
    {
        if (_connection.IsValueCreated)
            await (await _connection.Value.ConfigureAwait(false)).DisposeAsync().ConfigureAwait(false);
    }

    // Parts are written and read by hand: attributes generate code in the first round, read missing parts as 0, and text as bytes.
    internal static ReadOnlyMemory<byte> Encode(SiloReport report)
    {
        var bytes = new ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(bytes);
        writer.WriteArrayHeader(4);
        writer.Write(FormatVersion);
        writer.Write(report.Sequence);
        writer.Write(report.Version);
        writer.Write(report.Load);
        writer.Flush();
        return bytes.WrittenMemory;
    }

    internal static ReadOnlyMemory<byte> Encode(BlockSummary summary)
    {
        var bytes = new ArrayBufferWriter<byte>(summary.Bits.Length + 16);
        var writer = new MessagePackWriter(bytes);
        writer.WriteArrayHeader(2);
        writer.Write(FormatVersion);
        writer.Write(summary.Bits);
        writer.Flush();
        return bytes.WrittenMemory;
    }

    internal static SiloReport? DecodeReport(byte[]? bytes) =>
        Decode<SiloReport?>(bytes, 4, static (ref reader) => new(reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt32()));

    internal static BlockSummary? DecodeSummary(byte[]? bytes) => Decode(bytes, 2, static (ref reader) => BlockSummary.Read(reader.ReadBinary()));

    /// <summary>Reads the parts after the format's version. What a later build adds after them is passed over; anything else makes it nothing.</summary>
    private static T? Decode<T>(byte[]? bytes, int parts, ReadValue<T> read)
    {
        if (bytes is null)
            return default;
        try
        {
            return StrictMessagePack.Decode(bytes, (ref reader) =>
            {
                int count = reader.ReadArrayHeader();
                if (count < parts || reader.ReadInt64() != FormatVersion)
                    throw new FormatException("Parts are missing, or another format is spoken.");
                T value = read(ref reader);
                for (; count > parts; count--)
                    reader.SkipValue();
                return value;
            });
        }
        catch (FormatException)
        {
            return default;
        }
    }

    private async Task<T> CallAsync<T>(Func<IDatabase, Task<T>> call)
    {
        try
        {
            ConnectionMultiplexer connection = await _connection.Value.WaitAsync(Deadline).ConfigureAwait(false);
            return await call(connection.GetDatabase()).WaitAsync(Deadline).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is RedisException or TimeoutException or ObjectDisposedException)
        {
            throw new IOException($"The summaries on Redis could not be reached: {fault.Message}", fault);
        }
    }
}
