namespace KvTiers.Silo.Http;

/// <summary>Counts requests that were refused with 429, by reason. Of tenants there may be any number, so they are not told apart.</summary>
internal sealed class Refusals
{
    private readonly long[] _counts = new long[Enum.GetValues<RefusalReason>().Length];

    /// <summary>All of them.</summary>
    public long Total => Enum.GetValues<RefusalReason>().Sum(Of);

    /// <summary>Those for one reason.</summary>
    public long Of(RefusalReason reason) => Volatile.Read(ref _counts[(int)reason]);

    /// <summary>Counts one.</summary>
    public void Count(RefusalReason reason) => Interlocked.Increment(ref _counts[(int)reason]);
}
