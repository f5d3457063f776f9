using KvTiers.Tiers;
using Microsoft.Extensions.Logging;

namespace KvTiers.Inference.Scheduling;

/// <content>Between submission and queue: a sequence's lease is filled from the colder tiers, beside the steps of others.</content>
public sealed partial class Engine
{
    // Steps with fewer prompt tokens say little about the speed of prefill.
    private const int PrefillSample = 16;

    private int _promoting;

    /// <summary>Sends a sequence to the tiers; false when there is nothing to be had there.</summary>
    private bool TryPromote(Sequence sequence)
    {
        if (Tiers is not { } tiers || !sequence.UsesCache || sequence.NeedsPromptLogits || sequence.MatchableCount == 0)
            return false;
        _scheduler.Acquire(sequence);
        _promoting++;
        ReadOnlyMemory<int> tokens = sequence.Generation.Request.Prompt[..sequence.MatchableCount];
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
        return true;
    }

    private void TakePromoted(PromotedSequence promoted)
    {
        (Sequence sequence, PromotionResult? result, Exception? error) = promoted;
        _promoting--;
        if (result is not null)
        {
            sequence.Generation.PromotedTokenCounts = Tiers!.Names.Zip(result.TokensByTier).ToDictionary(tier => tier.First, tier => tier.Second);
        }
        else
        {
            // What the lease holds is of no consequence: it begins anew, from what is hot.
            LogPromotionFailed(error!, sequence.Generation.Number);
            sequence.Lease!.Dispose();
            _scheduler.Acquire(sequence);
        }

        Scheduler.CountFound(sequence);
        _scheduler.Enqueue(sequence);
    }

    /// <summary>Before the end: no lease may be in the tiers' hands.</summary>
    private void FinishPromotions()
    {
        lock (_gate)
        {
            while (_promoting > 0)
            {
                while (_promoted.TryDequeue(out PromotedSequence promoted))
                    TakePromoted(promoted);
                if (_promoting > 0)
                    Monitor.Wait(_gate);
            }
        }
    }

    private void NotePrefill(int tokenCount, TimeSpan elapsed)
    {
        if (Tiers is not null && tokenCount >= PrefillSample)
            Tiers.Planner.AddPrefill(tokenCount, elapsed * ((double)tokenCount / _batch.RowCount));
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Loading blocks for generation {Number} from the colder tiers failed; they are computed")]
    private partial void LogPromotionFailed(Exception error, long number);
}
