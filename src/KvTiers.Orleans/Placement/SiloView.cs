using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using KvTiers.Prefix;

namespace KvTiers.Orleans.Placement;

/// <summary>Keeps what this silo knows of all silos, and chooses by it. Thread-safe.</summary>
/// <remarks>
/// Tolerant of gaps: a silo that has not reported for <paramref name="staleAfter"/> keeps its place by load, but its blocks are taken for gone; one that
/// never reported (its model is loading) is chosen only when none has.
/// </remarks>
/// <param name="slack">Share above the mean load that a silo may have.</param>
/// <param name="staleAfter">How long a summary is believed.</param>
/// <param name="time">The clock.</param>
internal sealed class SiloView(double slack, TimeSpan staleAfter, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, SiloState> _silos = new(StringComparer.Ordinal);

    /// <summary>These are the silos; the others are forgotten.</summary>
    public void Retain(IReadOnlyList<string> silos)
    {
        lock (_lock)
        {
            foreach (string gone in _silos.Keys.Except(silos).ToArray())
                _silos.Remove(gone);
        }
    }

    /// <summary>The version of a silo's blocks that is known; 0 = none.</summary>
    public long VersionOf(string silo)
    {
        lock (_lock)
            return _silos.GetValueOrDefault(silo)?.Version ?? 0;
    }

    /// <summary>A silo has reported.</summary>
    public void Take(string silo, SiloReport report)
    {
        lock (_lock)
        {
            if (!_silos.TryGetValue(silo, out SiloState? state))
                _silos[silo] = state = new();
            (state.Load, state.PlacedSince, state.SeenAt) = (report.Load, 0, time.GetUtcNow());
            if (report.Blocks is { } blocks)
                (state.Summary, state.Version) = (BlockSummary.Read(blocks), report.Version);
        }
    }

    /// <summary>The silo for a conversation, and what it holds of it; counts it as placed there.</summary>
    /// <param name="silos">Silos that can have it, at least one.</param>
    /// <param name="chain">Hashes of the conversation's whole blocks, from the first; empty = not known.</param>
    public (int Index, int Run) Choose(IReadOnlyList<string> silos, ReadOnlySpan<BlockHash> chain)
    {
        lock (_lock)
        {
            int[] known = [.. Enumerable.Range(0, silos.Count).Where(i => _silos.ContainsKey(silos[i]))];
            if (known.Length == 0)
                known = [.. Enumerable.Range(0, silos.Count)];
            var standings = new SiloStanding[known.Length];
            for (int i = 0; i < known.Length; i++)
            {
                SiloState? state = _silos.GetValueOrDefault(silos[known[i]]);
                bool fresh = state is not null && time.GetUtcNow() - state.SeenAt <= staleAfter;
                standings[i] = new(
                    fresh && state!.Summary is { } summary ? summary.LeadingRun(chain) : 0,
                    state is null ? 0 : state.Load + state.PlacedSince,
                    RankOf(silos[known[i]], chain));
            }

            int chosen = PlacementChoice.Choose(standings, slack);
            if (_silos.TryGetValue(silos[known[chosen]], out SiloState? placed))
                placed.PlacedSince++;
            return (known[chosen], standings[chosen].Run);
        }
    }

    // Without a block to hash, whoever: the loads decide over time.
    private static ulong RankOf(string silo, ReadOnlySpan<BlockHash> chain)
    {
        if (chain.IsEmpty)
            return (ulong)Random.Shared.NextInt64();
        byte[] text = [.. new byte[BlockHash.ByteCount], .. Encoding.UTF8.GetBytes(silo)];
        chain[0].CopyTo(text);
        return BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(text));
    }
}
