using System.Threading.Channels;

namespace KvTiers.Tiers;

/// <summary>Evicts ahead of need, away from whoever needs the room: woken below the low watermark, it goes on up to the high one, as fast as the tiers below take it.</summary>
internal sealed class BackgroundDemoter : IAsyncDisposable
{
    // Small, so that the room comes free piece by piece.
    private const int BlocksAtOnce = 8;

    private readonly KvCache _cache;
    private readonly Watermarks _marks;
    private readonly Func<CancellationToken, ValueTask<int>> _room;
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly CancellationTokenSource _closing = new();
    private readonly Task _work;

    public BackgroundDemoter(KvCache cache, Watermarks marks, Func<CancellationToken, ValueTask<int>> room)
    {
        _cache = cache;
        _marks = marks;
        _room = room;
        _work = Task.Run(DemoteAsync);
    }

    /// <summary>Looks whether there is something to do. Never waits.</summary>
    public void Wake(int freeBlocks, int capacityBlocks)
    {
        if (freeBlocks < _marks.Low * capacityBlocks)
            _wake.Writer.TryWrite(true);
    }

    /// <summary>Ends after the blocks that are under way.</summary>
    public async ValueTask DisposeAsync()
    {
        _wake.Writer.TryComplete();
        await _closing.CancelAsync().ConfigureAwait(false);
        await _work.ConfigureAwait(false);
        _closing.Dispose();
    }

    private async Task DemoteAsync()
    {
        await foreach (bool _ in _wake.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            try
            {
                int evicted = 1;
                while (evicted > 0)
                {
                    int room = await _room(_closing.Token).ConfigureAwait(false);
                    evicted = _cache.EvictAhead((int)Math.Ceiling(_marks.High * _cache.Pool.Capacity), Math.Min(BlocksAtOnce, room));
                }
            }
            catch (Exception)
            {
                // Whatever it was ends this attempt. Whoever needs the room evicts for himself, and the next wake tries again.
            }
        }
    }
}
