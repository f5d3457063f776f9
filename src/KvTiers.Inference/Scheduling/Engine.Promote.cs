using KvTiers.Tiers;
using Microsoft.Extensions.Logging;

namespace KvTiers.Inference.Scheduling;

/// <content>Between queue and first chunk: a sequence's lease is filled from the colder tiers, beside the steps of others.</content>
public sealed partial class Engine
{
    // Steps with fewer prompt tokens say little about the speed of prefill.
    private const int PrefillSample = 16;

    private void Promote(Sequence sequence)
    {
        TieredCache tiers = Tiers!;
        ReadOnlyMemory<int> tokens = sequence.TokenMemory[..sequence.MatchableCount];
        _ = Task.Run(async () =>
        {
            PromotedSequence promoted;
            try
            {
                PromotionResult result = await tiers.PromoteAsync(sequence.Lease!, tokens, CancellationToken.None).ConfigureAwait(false);
                promoted = new PromotedSequence(sequence, result, null);
            }
            catch (Exception error)
            {
                promoted = new PromotedSequence(sequence, null, error);
            }

            lock (_gate)
            {
                _promoted.Enqueue(promoted);
                Monitor.Pulse(_gate);
            }
        });
    }

    private void TakePromoted(PromotedSequence promoted)
    {
        (Sequence sequence, PromotionResult? result, Exception? error) = promoted;
        if (result is not null)
        {
            CountPromoted(sequence, result);
        }
        else
        {
            // What the lease holds is of no consequence: it begins anew, from what is hot.
            LogPromotionFailed(error!, sequence.Generation.Number);
            sequence.Lease!.Dispose();
            _scheduler.Acquire(sequence);
        }

        Scheduler.CountFound(sequence);
        _scheduler.Return(sequence, result?.LackedRoom ?? false);
    }

    // Of what was computed or found before, the loading is not counted again: it is no cached token of the prompt.
    private void CountPromoted(Sequence sequence, PromotionResult result)
    {
        if (sequence.ReachedCount < sequence.PromptLength)
            sequence.Generation.LeftToComputeTokenCount = (result.HeldBlocks - result.PlannedBlocks) * Cache.Layout.BlockSize;
        Dictionary<string, int> counts = sequence.Generation.PromotedTokenCounts ??= Tiers!.Names.ToDictionary(name => name, _ => 0);
        int start = sequence.ComputedCount - result.TokenCount;
        int repeated = Math.Max(0, sequence.ReachedCount - start);
        foreach ((string name, int count) in Tiers!.Names.Zip(result.TokensByTier))
        {
            int again = Math.Min(count, repeated);
            repeated -= again;
            counts[name] += count - again;
        }
    }

    /// <summary>Before the end: no lease may be in the tiers' hands.</summary>
    private void FinishPromotions()
    {
        lock (_gate)
        {
            while (_scheduler.Promoting > 0)
            {
                while (_promoted.TryDequeue(out PromotedSequence promoted))
                    TakePromoted(promoted);
                if (_scheduler.Promoting > 0)
                    Monitor.Wait(_gate);
            }
        }
    }

    private void NotePrefill(int tokenCount, TimeSpan elapsed)
    {
        if (Tiers is not null && tokenCount >= PrefillSample)
            Tiers.NotePrefill(tokenCount, elapsed * ((double)tokenCount / _batch.RowCount));
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Loading blocks for generation {Number} from the colder tiers failed; they are computed")]
    private partial void LogPromotionFailed(Exception error, long number);
}
