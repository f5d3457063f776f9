namespace KvTiers.Keys;

/// <summary>The keys of records: one that writes, and those that what was written before may still be read with.</summary>
/// <remarks>
/// To change keys without losing what there is, give every process the new key as a former one, then as the writing one with the old one as a former one, and
/// drop the old one when what it wrote is gone.
/// </remarks>
public sealed class KeyRing
{
    private readonly RecordKey[] _all;

    /// <summary>A ring.</summary>
    /// <param name="writing">Writes, and reads.</param>
    /// <param name="former">Only read.</param>
    public KeyRing(RecordKey writing, params IEnumerable<RecordKey> former)
    {
        ArgumentNullException.ThrowIfNull(writing);
        ArgumentNullException.ThrowIfNull(former);
        Writing = writing;
        _all = [writing, .. former];
    }

    /// <summary>The key that writes.</summary>
    public RecordKey Writing { get; }

    /// <summary>The key with an id; null = it is not in the ring.</summary>
    public RecordKey? Find(uint id) => Array.Find(_all, key => key.Id == id);
}
