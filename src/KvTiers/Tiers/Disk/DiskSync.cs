namespace KvTiers.Tiers.Disk;

/// <summary>
/// Forces written segments to the device after a number of records and after a time. Writers do not wait for that: a crash may take what the
/// device has not got yet, and nothing else.
/// </summary>
/// <remarks>A segment that the device failed to take stays to be forced, and every sync says so until it has taken it. Thread-safe.</remarks>
internal sealed class DiskSync : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _syncing = new(1, 1);
    private readonly HashSet<DirectFile> _dirty = [];
    private readonly DiskStoreOptions _options;
    private readonly ITimer _timer;
    private int _unsynced;

    public DiskSync(DiskStoreOptions options, TimeProvider time)
    {
        _options = options;
        _timer = time.CreateTimer(_ => _ = SyncInBackgroundAsync(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>A record, or the end of one, was written.</summary>
    public void NoteWritten(DirectFile segment)
    {
        bool syncNow;
        lock (_lock)
        {
            _dirty.Add(segment);
            syncNow = ++_unsynced == _options.SyncEvery;
            if (_unsynced == 1)
                _timer.Change(_options.SyncInterval, Timeout.InfiniteTimeSpan);
        }

        if (syncNow)
            _ = SyncInBackgroundAsync();
    }

    /// <summary>Returns when every record written so far is on the device.</summary>
    /// <exception cref="IOException">The device failed to take them.</exception>
    public async Task SyncAsync(CancellationToken cancellationToken)
    {
        await _syncing.WaitAsync(cancellationToken).ConfigureAwait(false);
        DirectFile[] dirty;
        lock (_lock)
        {
            dirty = [.. _dirty];
            _dirty.Clear();
            _unsynced = 0;
        }

        int taken = 0;
        try
        {
            for (; taken < dirty.Length; taken++)
                await Task.Run(dirty[taken].Flush, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            if (taken < dirty.Length)
            {
                lock (_lock)
                {
                    _dirty.UnionWith(dirty[taken..]);
                    _timer.Change(_options.SyncInterval, Timeout.InfiniteTimeSpan);
                }
            }

            _syncing.Release();
        }
    }

    /// <summary>Ends the timer.</summary>
    public ValueTask DisposeAsync() => _timer.DisposeAsync();

    private async Task SyncInBackgroundAsync()
    {
        try
        {
            await SyncAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // The records stay readable; only a power cut would lose them. It is tried again.
        }
    }
}
