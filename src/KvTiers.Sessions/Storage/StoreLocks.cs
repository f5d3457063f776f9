using KvTiers.Conversations;
using Microsoft.Win32.SafeHandles;

namespace KvTiers.Sessions.Storage;

/// <summary>
/// One writer at a time per conversation, over all processes that share the folder: lock files that the operating system frees when
/// their process ends, however it ends. Conversations share a fixed number of them.
/// </summary>
internal sealed class StoreLocks
{
    private const int Stripes = 64;
    private const int MaxDelayMilliseconds = 20;
    private const int SharingViolation = unchecked((int)0x80070020);

    private readonly string _folder;
    private readonly TimeSpan _deadline;
    private readonly SemaphoreSlim[] _gates = [.. Enumerable.Range(0, Stripes).Select(_ => new SemaphoreSlim(1, 1))];

    /// <summary>Locks in <paramref name="folder"/>, which is created.</summary>
    public StoreLocks(string folder, TimeSpan deadline)
    {
        _folder = folder;
        _deadline = deadline;
        Directory.CreateDirectory(folder);
    }

    /// <summary>Waits until this process alone may write what <paramref name="path"/> names.</summary>
    /// <exception cref="ConversationStoreUnavailableException">Another process held the lock longer than the deadline.</exception>
    /// <exception cref="IOException">The lock file cannot be opened.</exception>
    public async ValueTask<IDisposable> EnterAsync(string path, CancellationToken cancellationToken)
    {
        int stripe = (int)(Fnv1a(path) % Stripes);
        await _gates[stripe].WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return new Held(_gates[stripe], await OpenAsync(Path.Combine(_folder, $"{stripe:x2}"), cancellationToken).ConfigureAwait(false));
        }
        catch
        {
            _gates[stripe].Release();
            throw;
        }
    }

    private async ValueTask<SafeFileHandle> OpenAsync(string lockPath, CancellationToken cancellationToken)
    {
        long start = Environment.TickCount64;
        for (int delay = 1; ; delay = Math.Min(2 * delay, MaxDelayMilliseconds))
        {
            try
            {
                return File.OpenHandle(lockPath, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException exception) when (IsHeldElsewhere(exception))
            {
                if (Environment.TickCount64 - start > _deadline.TotalMilliseconds)
                    throw new ConversationStoreUnavailableException($"The conversation store cannot be written: another process has held one of its locks for more than {_deadline.TotalSeconds:0} s.", exception);
            }

            await Task.Delay(delay, cancellationToken).ConfigureAwait(false);
        }
    }

    // On Unix the lock's EWOULDBLOCK (11 on Linux, 35 on macOS) is the HResult.
    private static bool IsHeldElsewhere(IOException exception) => exception.HResult is SharingViolation or 11 or 35;

    // The path within the store, not the runtime's random string hash: every process must choose the same stripe.
    private static uint Fnv1a(string text)
    {
        uint hash = 2166136261;
        foreach (char c in text)
            hash = (hash ^ c) * 16777619;
        return hash;
    }

    private sealed class Held(SemaphoreSlim gate, SafeFileHandle handle) : IDisposable
    {
        public void Dispose()
        {
            handle.Dispose();
            gate.Release();
        }
    }
}
