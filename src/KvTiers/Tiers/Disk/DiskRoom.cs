namespace KvTiers.Tiers.Disk;

/// <summary>
/// Which slots have room on the disk. Room is reserved in steps, in the order in which slots are first taken, and never the last of the file system's:
/// what a store may not keep free for others is others' when it is full.
/// </summary>
/// <remarks>Not thread-safe: its store holds a lock.</remarks>
/// <param name="options">Where the store is, and what it leaves free.</param>
/// <param name="recordBytes">Bytes of a slot.</param>
/// <param name="slotsPerSegment">Slots of a segment.</param>
internal sealed class DiskRoom(DiskStoreOptions options, int recordBytes, int slotsPerSegment)
{
    // Little enough to use a small disk well, and enough that a step is reserved rarely.
    private const long StepBytes = 4 << 20;
    private const long MostKeptFree = 1 << 30;

    private readonly int _slotsPerStep = (int)Math.Clamp(StepBytes / recordBytes, 1, slotsPerSegment);
    private readonly HashSet<(int Segment, int Step)> _reserved = [];

    /// <summary>Slots that have room.</summary>
    public int ReservedSlots { get; private set; }

    /// <summary>Slots that have room, and those that there is room for.</summary>
    public long Fitting() => ReservedSlots + (FreeBytes() / recordBytes);

    /// <summary>Gets room for a slot.</summary>
    /// <returns>False when less would be left free than is to be.</returns>
    /// <exception cref="IOException">There is none.</exception>
    public bool TryReserve(DirectFile segment, int slot)
    {
        (int Segment, int Step) place = (slot / slotsPerSegment, slot % slotsPerSegment / _slotsPerStep);
        if (_reserved.Contains(place))
            return true;
        int slots = SlotsOf(place.Step);
        long bytes = (long)slots * recordBytes;
        if (FreeBytes() < bytes)
            return false;
        segment.Reserve((long)place.Step * _slotsPerStep * recordBytes, bytes);
        _reserved.Add(place);
        ReservedSlots += slots;
        return true;
    }

    /// <summary>A slot that held a record at the start has its room already, and the others of its step with it.</summary>
    public void Adopt(int slot)
    {
        (int Segment, int Step) place = (slot / slotsPerSegment, slot % slotsPerSegment / _slotsPerStep);
        if (_reserved.Add(place))
            ReservedSlots += SlotsOf(place.Step);
    }

    /// <summary>The room of a range was given back.</summary>
    public void GiveBack(int segment, long offset, long byteCount)
    {
        long bytesPerStep = (long)_slotsPerStep * recordBytes;
        for (long step = offset / bytesPerStep; step * bytesPerStep < offset + byteCount; step++)
        {
            if (_reserved.Remove((segment, (int)step)))
                ReservedSlots -= SlotsOf((int)step);
        }
    }

    private int SlotsOf(int step) => Math.Min(_slotsPerStep, slotsPerSegment - (step * _slotsPerStep));

    private long FreeBytes()
    {
        if (options.Space(options.Folder) is not { } space)
            return long.MaxValue / 2;
        long kept = options.KeepFreeBytes ?? Math.Min(MostKeptFree, space.TotalBytes / 20);
        return Math.Max(0, space.FreeBytes - kept);
    }
}
