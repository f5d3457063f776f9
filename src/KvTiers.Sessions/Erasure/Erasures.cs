using KvTiers.Conversations;
using KvTiers.Prefix;
using KvTiers.Sessions.Changes;
using KvTiers.Sessions.Storage;
using KvTiers.Tiers;
using Tombstone = KvTiers.Sessions.Storage.Tombstone;

namespace KvTiers.Sessions.Erasure;

/// <summary>Sees every erasure through: a deletion is written down before its record goes, and tried until no tier holds a block of it.</summary>
/// <remarks>
/// <para>Order of a deletion: tombstone written, record removed, tiers asked, tombstone removed. Wherever a process ends in between, the tombstone is read at the
/// next start: while its version is still the stored one the record is removed then; if another version is stored, the deletion had lost against another
/// writer, and the tombstone goes.</para>
/// <para>Without colder tiers there is nothing to write down: hot blocks end with the process. Thread-safe.</para>
/// </remarks>
internal sealed partial class Erasures
{
    // Paths of living conversations that could not be erased are kept in memory up to so many; beyond it the oldest is given up.
    private const int MaxOwedPaths = 1024;

    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromMinutes(1);

    // By then a shared tier's copies have expired, and a tier that was away so long does not come back.
    private static readonly TimeSpan GiveUpAfter = TimeSpan.FromDays(30);

    private readonly Lock _lock = new();
    private readonly Dictionary<Guid, OwedErasure> _owed = [];
    private readonly HashSet<Guid> _underWay = [];
    private readonly IConversationStore _store;
    private readonly TieredCache? _tiers;
    private readonly string _owner;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _retrying = new(1, 1);
    private bool _isRead;
    private long _givenUp;

    public Erasures(IConversationStore store, PathEraser eraser, TieredCache? tiers, string owner, TimeProvider time)
    {
        (_store, Eraser, _tiers, _owner, _time) = (store, eraser, tiers, owner, time);
        _isRead = tiers is null;
        Background = new(capacity: 1024, patience: TimeSpan.FromSeconds(30), time);
    }

    /// <summary>What is done for the colder tiers beside the calls of conversations.</summary>
    public BackgroundWork Background { get; }

    /// <summary>Erases, once.</summary>
    public PathEraser Eraser { get; }

    /// <summary>Erasures that are not whole yet.</summary>
    public int OwedCount
    {
        get
        {
            lock (_lock)
                return _owed.Count;
        }
    }

    /// <summary>Erasures that were given up.</summary>
    public long GivenUp => Interlocked.Read(ref _givenUp);

    /// <summary>Writes down that a conversation is about to be deleted.</summary>
    /// <exception cref="IOException">It could not be written: the deletion must not go on.</exception>
    public async Task<Tombstone> BeginAsync(
        ConversationKey key, ConversationVersion version, BlockHash root, IEnumerable<ReadOnlyMemory<int>> paths, CancellationToken cancellationToken)
    {
        var tombstone = new Tombstone
        {
            Id = Guid.CreateVersion7(_time.GetUtcNow()),
            Key = key,
            Version = version,
            Owner = _owner,
            Root = root,
            Paths = [.. OwedPathsOf(key), .. paths],
            DeletedAt = _time.GetUtcNow(),
        };
        lock (_lock)
            _underWay.Add(tombstone.Id);
        try
        {
            if (_tiers is not null)
                await _store.Tombstones.WriteAsync(tombstone, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            // It may have been written for all that. Then a later read of the store finds it.
            Leave(tombstone);
            throw;
        }

        return tombstone;
    }

    /// <summary>The record stands, as another writer was first: nothing is to be erased.</summary>
    public async Task CancelAsync(Tombstone tombstone)
    {
        if (!await TryForgetAsync(tombstone).ConfigureAwait(false))
            Owe(new(tombstone, NothingKept(tombstone)) { IsRecorded = true });
        Leave(tombstone);
    }

    /// <summary>It is not known whether the record is gone: the store did not say.</summary>
    public void Doubt(Tombstone tombstone)
    {
        if (_tiers is not null)
            Owe(new(tombstone, NothingKept(tombstone)) { IsRecorded = true });
        Leave(tombstone);
    }

    /// <summary>The record is gone: asks the tiers. What they do not do now is done later.</summary>
    public async Task<DeleteReceipt> FinishAsync(Tombstone tombstone)
    {
        // What is being erased in the background of the same conversation is no part of the receipt, and must not be counted by both.
        await Background.IdleAsync(tombstone.Key).ConfigureAwait(false);
        var owed = new OwedErasure(tombstone, NothingKept(tombstone)) { IsRecorded = _tiers is not null, IsRecordGone = true };
        await Eraser.EraseAsync(tombstone.Root, tombstone.Paths, owed.Tally).ConfigureAwait(false);
        await SettleAsync(owed).ConfigureAwait(false);
        Leave(tombstone);
        return ReceiptOf(owed);
    }

    /// <summary>Erases a path that a living conversation gave up from the colder tiers, in the background.</summary>
    public void EraseSoon(ConversationKey key, BlockPath path, int keptBlocks)
    {
        if (_tiers is null)
            return;
        var tombstone = new Tombstone
        {
            Id = Guid.CreateVersion7(_time.GetUtcNow()),
            Key = key,
            Version = default,
            Owner = _owner,
            Root = path.Root,
            Paths = [path.Tokens.ToArray()],
            DeletedAt = _time.GetUtcNow(),
        };
        var owed = new OwedErasure(tombstone, [keptBlocks]) { IsRecordGone = true };
        if (!Background.TryAdd(key, _ => TryAgainAsync(owed)))
            Owe(owed);
    }

    private IEnumerable<ReadOnlyMemory<int>> OwedPathsOf(ConversationKey key)
    {
        lock (_lock)
        {
            OwedErasure[] paths = [.. _owed.Values.Where(owed => owed.Tombstone.Key == key && !owed.IsRecorded)];
            foreach (OwedErasure owed in paths)
                _owed.Remove(owed.Tombstone.Id);
            return [.. paths.SelectMany(owed => owed.Tombstone.Paths)];
        }
    }

    private async Task SettleAsync(OwedErasure owed)
    {
        bool isOver = owed.Tally.IsWhole;
        if (!isOver && _time.GetUtcNow() - owed.Tombstone.DeletedAt > GiveUpAfter)
        {
            owed.Tally.IsGivenUp = true;
            Interlocked.Increment(ref _givenUp);
            isOver = true;
        }

        bool isForgotten = isOver && (!owed.IsRecorded || await TryForgetAsync(owed.Tombstone).ConfigureAwait(false));
        if (!isForgotten)
        {
            Owe(owed);
            return;
        }

        lock (_lock)
            _owed.Remove(owed.Tombstone.Id);
    }

    private void Owe(OwedErasure owed)
    {
        double wait = FirstRetry.TotalSeconds * Math.Pow(2, Math.Min(16, owed.Tally.Attempts));
        owed.DueAt = _time.GetUtcNow() + TimeSpan.FromSeconds(Math.Min(LongestRetry.TotalSeconds, wait));
        lock (_lock)
        {
            _owed[owed.Tombstone.Id] = owed;
            Guid[] paths = [.. _owed.Values.Where(one => !one.IsRecorded).OrderBy(one => one.Tombstone.DeletedAt).Select(one => one.Tombstone.Id)];
            foreach (Guid oldest in paths.Take(Math.Max(0, paths.Length - MaxOwedPaths)))
            {
                _owed.Remove(oldest);
                Interlocked.Increment(ref _givenUp);
            }
        }
    }

    private async Task<bool> TryForgetAsync(Tombstone tombstone)
    {
        try
        {
            if (_tiers is not null)
                await _store.Tombstones.RemoveAsync(tombstone, CancellationToken.None).ConfigureAwait(false);
            return true;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private void Leave(Tombstone tombstone)
    {
        lock (_lock)
            _underWay.Remove(tombstone.Id);
    }

    private static int[] NothingKept(Tombstone tombstone) => new int[tombstone.Paths.Count];

    private static DeleteReceipt ReceiptOf(OwedErasure owed) => new()
    {
        Conversation = owed.Tombstone.Key.Id,
        Tiers = owed.Tally.Tiers,
        BlocksShared = owed.Tally.SharedBlocks,
        Attempts = owed.Tally.Attempts,
        IsGivenUp = owed.Tally.IsGivenUp,
    };
}
