using KvTiers.Keys;

namespace KvTiers.Sessions.Storage;

/// <summary>Says where and how conversations are filed.</summary>
public sealed record FileConversationStoreOptions
{
    /// <summary>The folder; it is created. Each tenant has a folder in it, and each conversation a file in that.</summary>
    public required string Folder { get; init; }

    /// <summary>Whether a write waits until the disk has it. False survives the end of the process, but not a power cut. Default true.</summary>
    public bool Sync { get; init; } = true;

    /// <summary>Records after which a file may be compacted to its newest state; 2 or more. Default 64.</summary>
    public int CompactAfterRecords { get; init; } = 64;

    /// <summary>How long to wait for another process that writes; above zero. Default 30 s.</summary>
    public TimeSpan LockDeadline { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The keys of records. Null, the default: they have checksums, which find damage; whoever can write the folder writes what is read.</summary>
    public RecordProtection? Protection { get; init; }

    /// <summary>
    /// Whether records without a seal are read although there are keys: those of before. A conversation that has one is written anew, sealed, when it is read.
    /// Default false.
    /// </summary>
    public bool AcceptUnsigned { get; init; }

    /// <summary>Checks every range.</summary>
    /// <exception cref="ArgumentException">A value is out of range; the message names property, value and rule.</exception>
    public void Validate()
    {
        if (string.IsNullOrWhiteSpace(Folder))
            throw new ArgumentException($"{nameof(Folder)} is empty; it must name a folder.", nameof(Folder));
        if (CompactAfterRecords < 2)
            throw new ArgumentException($"{nameof(CompactAfterRecords)} is {CompactAfterRecords}; it must be 2 or more.", nameof(CompactAfterRecords));
        if (LockDeadline <= TimeSpan.Zero)
            throw new ArgumentException($"{nameof(LockDeadline)} is {LockDeadline}; it must be above zero.", nameof(LockDeadline));
    }
}
