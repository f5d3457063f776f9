using KvTiers.Prefix;
using KvTiers.Tiers;

namespace KvTiers.Tests.Tiers;

/// <summary>A store that fails as stores do: errors, time-outs, delays, records cut short or with a flipped bit. Counts each fault.</summary>
internal sealed class FlakyStore(IRecordStore inner, int seed) : IRecordStore
{
    private readonly Random _random = new(seed);

    public int Flipped { get; private set; }

    public int Garbled { get; private set; }

    public int ReadErrors { get; private set; }

    public int WriteErrors { get; private set; }

    public int Timeouts { get; private set; }

    public int RecordBytes => inner.RecordBytes;

    public long CapacityBytes => inner.CapacityBytes;

    public long UsedBytes => inner.UsedBytes;

    public long Count => inner.Count;

    public StoreTotals Totals => inner.Totals;

    public bool IsDegraded => inner.IsDegraded;

    public ValueTask<int> CountLeadingAsync(ReadOnlyMemory<BlockHash> chain, CancellationToken cancellationToken) =>
        inner.CountLeadingAsync(chain, cancellationToken);

    public async ValueTask<bool> TryReadAsync(BlockHash hash, Memory<byte> record, CancellationToken cancellationToken)
    {
        int fault = _random.Next(20);
        if (fault == 0)
        {
            ReadErrors++;
            throw new IOException("flaky read");
        }

        if (fault == 1)
        {
            Timeouts++;
            throw new TimeoutException("flaky time-out");
        }

        bool held = await inner.TryReadAsync(hash, record, cancellationToken);
        if (!held)
        {
            return false;
        }

        switch (fault)
        {
            case 2:
                Flipped++;
                record.Span[_random.Next(BlockRecord.HeaderBytes)] ^= (byte)(1 << _random.Next(8));
                break;
            case 3:
                Flipped++;
                record.Span[BlockRecord.SectorBytes + _random.Next(TestBlocks.Layout.BytesPerBlock)] ^= (byte)(1 << _random.Next(8));
                break;
            case 4:
                Garbled++;
                record.Span[(BlockRecord.SectorBytes + 8)..].Clear(); // what a torn write leaves
                break;
            case 5:
                await Task.Yield();
                break;
        }

        return true;
    }

    public ValueTask<bool> TryWriteAsync(BlockHash hash, ReadOnlyMemory<byte> record, BlockAttributes attributes, CancellationToken cancellationToken)
    {
        if (_random.Next(20) != 0)
        {
            return inner.TryWriteAsync(hash, record, attributes, cancellationToken);
        }

        WriteErrors++;
        throw new IOException("flaky write");
    }

    public ValueTask<int> RemoveAsync(ReadOnlyMemory<BlockHash> hashes, CancellationToken cancellationToken) => inner.RemoveAsync(hashes, cancellationToken);

    public ValueTask<int> ForgetAsync(ReadOnlyMemory<BlockHash> hashes, CancellationToken cancellationToken) => inner.ForgetAsync(hashes, cancellationToken);

    public ValueTask<int> ExpireAsync(ReadOnlyMemory<BlockHash> hashes, DateTimeOffset at, CancellationToken cancellationToken) =>
        inner.ExpireAsync(hashes, at, cancellationToken);

    public ValueTask<long> CountAsync(int tenant, CancellationToken cancellationToken) => inner.CountAsync(tenant, cancellationToken);

    public ValueTask<int> EvictAsync(int tenant, int atMost, CancellationToken cancellationToken) => inner.EvictAsync(tenant, atMost, cancellationToken);

    public ValueTask<long> ResizeAsync(long capacityBytes, CancellationToken cancellationToken) => inner.ResizeAsync(capacityBytes, cancellationToken);

    public ValueTask ClearAsync(CancellationToken cancellationToken) => inner.ClearAsync(cancellationToken);

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
