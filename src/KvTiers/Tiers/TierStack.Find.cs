using KvTiers.Prefix;

namespace KvTiers.Tiers;

/// <content>Where the blocks of a chain are.</content>
public sealed partial class TierStack
{
    /// <summary>Which tier holds which of the leading blocks; the hottest that has a block counts.</summary>
    private async ValueTask<List<TierRun>> FindRunsAsync(ReadOnlyMemory<BlockHash> chain, CancellationToken cancellationToken)
    {
        var runs = new List<TierRun>();
        int tier = 0;
        while (!chain.IsEmpty && tier < _tiers.Length)
        {
            int count = await CountLeadingAsync(tier, chain, cancellationToken).ConfigureAwait(false);
            if (count == 0)
            {
                tier++;
                if (tier == _tiers.Length && Cache.DepartureOf(chain[..1]) is { } departure)
                {
                    // It is just leaving the hot tier, and will be in one of these.
                    await departure.WaitAsync(cancellationToken).ConfigureAwait(false);
                    tier = 0;
                }

                continue;
            }

            if (runs.Count > 0 && runs[^1].Tier == tier)
            {
                count += runs[^1].BlockCount;
                chain = chain[(count - runs[^1].BlockCount)..];
                runs[^1] = new TierRun(tier, count);
            }
            else
            {
                runs.Add(new TierRun(tier, count));
                chain = chain[count..];
            }

            tier = 0;
        }

        return runs;
    }

    private async ValueTask<int> CountLeadingAsync(int tier, ReadOnlyMemory<BlockHash> chain, CancellationToken cancellationToken)
    {
        int queued = 0;
        if (_writers[tier] is { } writer)
        {
            while (queued < chain.Length && writer.Holds(chain.Span[queued]))
            {
                queued++;
            }
        }

        if (queued > 0)
        {
            return queued;
        }

        if (!IsWorthAsking(tier, chain.Length))
        {
            MeasureAside(tier, chain.Span[0]);
            return 0;
        }

        long start = _time.GetTimestamp();
        int count = await _tiers[tier].Tier.CountLeadingAsync(chain, cancellationToken).ConfigureAwait(false);
        _rates[tier].AddRoundTrip(_time.GetElapsedTime(start));
        return count;
    }
}
