using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using KvTiers.Prefix;

namespace KvTiers.Orleans.Placement;

/// <summary>What this silo knows of all silos, and its choices by that. Thread-safe.</summary>
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

    /// <summary>The silos whose blocks have changed since they were read, of those that report now. The others are forgotten.</summary>
    public IReadOnlyList<(string Silo, long Version)> Take(IReadOnlyList<string> silos, IReadOnlyList<SiloReport?> reports)
    {
        var changed = new List<(string, long)>();
        lock (_lock)
        {
            foreach (string gone in _silos.Keys.Except(silos).ToArray())
                _silos.Remove(gone);
            for (int i = 0; i < silos.Count; i++)
            {
                if (reports[i] is not { } report)
                    continue;
                if (!_silos.TryGetValue(silos[i], out SiloState? state))
                    _silos[silos[i]] = state = new();
                if (state.Report.Sequence != report.Sequence)
                {
                    state.PlacedSince = 0;
                    state.SeenAt = time.GetUtcNow();
                }

                state.Report = report;
                if (state.SummaryVersion != report.Version)
                    changed.Add((silos[i], report.Version));
            }
        }

        return changed;
    }

    /// <summary>A silo's blocks were read.</summary>
    public void Take(string silo, long version, BlockSummary? summary)
    {
        lock (_lock)
        {
            if (_silos.TryGetValue(silo, out SiloState? state))
                (state.Summary, state.SummaryVersion) = (summary, version);
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
                    state is null ? 0 : state.Report.Load + state.PlacedSince,
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
