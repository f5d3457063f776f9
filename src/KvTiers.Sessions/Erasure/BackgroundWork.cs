using KvTiers.Conversations;

namespace KvTiers.Sessions.Erasure;

/// <summary>
/// Work on the colder tiers that nobody waits for: one piece after the other, each for so long at most, and at most so many at a time. What one throws is
/// counted, and nobody's else.
/// </summary>
internal sealed class BackgroundWork(int capacity, TimeSpan patience, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Queue<Piece> _queue = new();
    private Piece? _current;
    private long _faults;
    private long _refused;

    /// <summary>Pieces that threw, or took too long.</summary>
    public long Faults => Interlocked.Read(ref _faults);

    /// <summary>Pieces that there was no room for.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>Takes a piece of work for a conversation.</summary>
    /// <returns>False = so many wait already; it will not be done.</returns>
    public bool TryAdd(ConversationKey key, Func<CancellationToken, Task> work)
    {
        lock (_lock)
        {
            if (_queue.Count >= capacity)
            {
                Interlocked.Increment(ref _refused);
                return false;
            }

            _queue.Enqueue(new(key, work));
            if (_current is null)
            {
                _current = _queue.Dequeue();
                _ = Task.Run(RunAsync);
            }

            return true;
        }
    }

    /// <summary>Ends when all that was taken so far is done, or was given up; of one conversation only when one is named.</summary>
    public Task IdleAsync(ConversationKey? key = null)
    {
        lock (_lock)
            return Task.WhenAll(_queue.Prepend(_current).Where(piece => piece is not null && (key is null || piece.Key == key)).Select(piece => piece!.Done.Task));
    }

    private async Task RunAsync()
    {
        while (_current is { } piece)
        {
            using var deadline = new CancellationTokenSource(patience, time);
            try
            {
                await piece.Work(deadline.Token).WaitAsync(deadline.Token).ConfigureAwait(false);
            }
            catch (Exception)
            {
                Interlocked.Increment(ref _faults);
            }

            lock (_lock)
                _current = _queue.TryDequeue(out Piece? next) ? next : null;
            piece.Done.SetResult();
        }
    }

    private sealed record Piece(ConversationKey Key, Func<CancellationToken, Task> Work)
    {
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
