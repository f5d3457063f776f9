using System.Buffers.Binary;
using KvTiers.Prefix;
using KvTiers.Tiers;

namespace KvTiers.Tests.Tiers;

/// <summary>A store that fails as stores do: errors, time-outs, delays, records cut short or with a flipped bit. Counts each fault.</summary>
internal sealed class FlakyStore(IRecordStore inner, int seed) : WrappedStore(inner)
{
    // What a header's checksum covers, itself included.
    private const int HeaderBytes = 128;

    private readonly Random _random = new(seed);
    private int _flipped, _cut, _readErrors, _writeErrors, _timeouts, _absent, _delays;

    /// <summary>Records read with one bit changed, in the header or in the payload.</summary>
    public int Flipped => _flipped;

    /// <summary>Records of which only the beginning was read.</summary>
    public int Cut => _cut;

    public int ReadErrors => _readErrors;

    public int WriteErrors => _writeErrors;

    public int Timeouts => _timeouts;

    /// <summary>Reads of records that were not there, or were said not to be.</summary>
    public int Absent => _absent;

    public int Delays => _delays;

    public override async ValueTask<bool> TryReadAsync(BlockHash hash, Memory<byte> record, CancellationToken cancellationToken)
    {
        int fault = Next(20);
        if (fault == 0)
        {
            Interlocked.Increment(ref _readErrors);
            throw new IOException("flaky read");
        }

        if (fault == 1)
        {
            Interlocked.Increment(ref _timeouts);
            throw new TimeoutException("flaky time-out");
        }

        if (!await base.TryReadAsync(hash, record, cancellationToken) || fault == 2)
        {
            Interlocked.Increment(ref _absent);
            return false;
        }

        switch (fault)
        {
            case 3:
                Interlocked.Increment(ref _flipped);
                record.Span[Next(HeaderBytes)] ^= (byte)(1 << Next(8));
                break;
            case 4:
                Interlocked.Increment(ref _flipped);
                record.Span[BlockRecord.SectorBytes + Next(PayloadBytes(record.Span))] ^= (byte)(1 << Next(8));
                break;
            case 5:
                Interlocked.Increment(ref _cut);
                record.Span[(BlockRecord.SectorBytes + 8)..].Clear();
                break;
            case 6:
                Interlocked.Increment(ref _delays);
                await Task.Delay(1 + Next(20), cancellationToken);
                break;
        }

        return true;
    }

    public override ValueTask<bool> TryWriteAsync(BlockHash hash, ReadOnlyMemory<byte> record, BlockAttributes attributes, CancellationToken cancellationToken)
    {
        if (Next(20) != 0)
            return base.TryWriteAsync(hash, record, attributes, cancellationToken);

        Interlocked.Increment(ref _writeErrors);
        throw new IOException("flaky write");
    }

    // What follows the payload up to the next sector means nothing.
    private static int PayloadBytes(ReadOnlySpan<byte> record) => BinaryPrimitives.ReadInt32LittleEndian(record[12..]);

    private int Next(int end)
    {
        lock (_random)
            return _random.Next(end);
    }
}
