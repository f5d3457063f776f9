namespace KvTiers.Tiers.Disk;

/// <content>
/// When records are forced to the device. Writers do not wait for that: a crash may take what the device has not got yet, and
/// nothing else.
/// </content>
public sealed partial class DiskStore
{
    /// <summary>Returns when every record written so far is on the device.</summary>
    /// <exception cref="IOException">The device failed to take them.</exception>
    public async Task SyncAsync(CancellationToken cancellationToken)
    {
        await _syncing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            DirectFile[] dirty;
            lock (_lock)
            {
                dirty = [.. _dirty];
                _dirty.Clear();
                _unsynced = 0;
            }

            foreach (DirectFile segment in dirty)
            {
                await Task.Run(segment.Flush, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            _syncing.Release();
        }
    }

    private void NoteWritten(DirectFile segment)
    {
        bool syncNow;
        lock (_lock)
        {
            _dirty.Add(segment);
            syncNow = ++_unsynced == _options.SyncEvery;
            if (_unsynced == 1)
            {
                _syncTimer.Change(_options.SyncInterval, Timeout.InfiniteTimeSpan);
            }
        }

        if (syncNow)
        {
            SyncInBackground();
        }
    }

    private async void SyncInBackground()
    {
        try
        {
            await SyncAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is IOException or ObjectDisposedException)
        {
            // The records stay readable; only a power cut would lose them.
        }
    }
}
