using KvTiers.Conversations;
using KvTiers.Tiers.Disk;

namespace KvTiers.Sessions.Storage;

/// <summary>
/// Makes what a folder's file system fails of a <see cref="ConversationStoreUnavailableException"/> with the cause, and knows since then that the store fails:
/// until a change is written, or a trial in the background is. A call is never refused because an earlier one failed.
/// </summary>
internal sealed class StoreHealth : IAsyncDisposable
{
    private static readonly TimeSpan TrialEvery = TimeSpan.FromSeconds(1);

    private readonly FileConversationStoreOptions _options;
    private readonly ITimer _trials;
    private volatile string? _failure;

    public StoreHealth(FileConversationStoreOptions options, TimeProvider time)
    {
        _options = options;
        _trials = time.CreateTimer(_ => Try(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Why the last call failed, or the last change could not be written; null = it did not, or what was amiss is over.</summary>
    public string? Failure => _failure;

    /// <summary>True for what a file system or its permissions are to blame for.</summary>
    // A file that would be larger than allowed is an argument out of range to .NET.
    public static bool IsFault(Exception fault) =>
        (DiskFault.Is(fault) || fault is ArgumentOutOfRangeException { ParamName: "value" }) && fault is not ConversationStoreUnavailableException;

    /// <summary>Reads. What cannot be read may be one file, so a trial tells whether the store fails.</summary>
    public T Read<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception fault) when (IsFault(fault))
        {
            _trials.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan);
            throw Unavailable(fault, "read");
        }
    }

    /// <summary>Makes a change.</summary>
    public T Write<T>(Func<T> write)
    {
        try
        {
            T result = write();
            _failure = null;
            return result;
        }
        catch (Exception fault) when (IsFault(fault))
        {
            throw CannotWrite(fault);
        }
    }

    /// <summary>Remembers that nothing can be written, and says it.</summary>
    public ConversationStoreUnavailableException CannotWrite(Exception fault)
    {
        ConversationStoreUnavailableException unavailable = Unavailable(fault, "written");
        _failure = unavailable.Message;
        _trials.Change(TrialEvery, Timeout.InfiniteTimeSpan);
        return unavailable;
    }

    /// <summary>Ends the trials.</summary>
    public ValueTask DisposeAsync() => _trials.DisposeAsync();

    // As much as a turn takes, and not in the folder of a tenant.
    private void Try()
    {
        try
        {
            string trial = Path.Combine(_options.Folder, ".trial");
            AtomicFile.Write(trial, new byte[16 << 10], _options.Sync);
            File.Delete(trial);
            _failure = null;
        }
        catch (Exception fault) when (IsFault(fault))
        {
            CannotWrite(fault);
        }
    }

    private static ConversationStoreUnavailableException Unavailable(Exception fault, string what) =>
        new($"The conversation store cannot be {what}: {(fault is ArgumentOutOfRangeException ? "a file may not become so large" : DiskFault.CauseOf(fault))}.", fault);
}
