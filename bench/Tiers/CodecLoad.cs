using System.Diagnostics;
using KvTiers.Tiers.Encodings;

namespace KvTiers.Bench.Tiers;

/// <summary>An encoding by itself: hot blocks in memory, one encoded block in the cache. One thread; bytes are those of the hot blocks.</summary>
internal sealed class CodecLoad(HotBlocks hot, BlockCodec codec, bool decode) : ILoad
{
    private readonly byte[] _encoded = Encoded(hot, codec);
    private int _next;

    public Task RunAsync(TimeSpan slice, Samples samples)
    {
        var ticks = new List<long>();
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < slice)
        {
            Span<byte> block = hot.Memory[_next].Span;
            long before = Stopwatch.GetTimestamp();
            if (decode)
                codec.Decode(_encoded, block);
            else
                codec.Encode(block, _encoded);

            ticks.Add(Stopwatch.GetTimestamp() - before);
            _next = (_next + 1) % hot.Count;
        }

        samples.Add(Stopwatch.GetElapsedTime(start).TotalSeconds, hot.Layout.BytesPerBlock, ticks);
        return Task.CompletedTask;
    }

    private static byte[] Encoded(HotBlocks hot, BlockCodec codec)
    {
        byte[] encoded = new byte[codec.EncodedBytes];
        codec.Encode(hot.Memory[0].Span, encoded);
        return encoded;
    }
}
