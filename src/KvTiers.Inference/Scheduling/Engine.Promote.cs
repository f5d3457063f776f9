using KvTiers.Tiers;
using Microsoft.Extensions.Logging;

namespace KvTiers.Inference.Scheduling;

/// <content>Between queue and first chunk: a sequence's lease is filled from the colder tiers, beside the steps of others.</content>
public sealed partial class Engine
{
    /// <summary>Gives the leases of all that are loading to the tiers, whatever became of the plan that chose them.</summary>
    private void HandOver()
    {
        while (_scheduler.Loading.Find(static sequence => !sequence.IsHandedOver) is { } next)
        {
            try
            {
                BeforeStage?.Invoke(EngineStage.HandOver, next);
                BeginPromotion(next);
            }
            catch (Exception error)
            {
                Fail(next, error);
            }
        }
    }

    // From here on the lease is the tiers', until the sequence is among the promoted ones.
    private void BeginPromotion(Sequence sequence)
    {
        TieredCache tiers = Tiers!;
        ReadOnlyMemory<int> tokens = sequence.TokenMemory[..sequence.MatchableCount];
        sequence.IsHandedOver = true;
        try
        {
            _ = Task.Run(() => PromoteAsync(tiers, sequence, tokens));
        }
        catch
        {
            sequence.IsHandedOver = false;
            throw;
        }
    }

    private async Task PromoteAsync(TieredCache tiers, Sequence sequence, ReadOnlyMemory<int> tokens)
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
    }

    private void TakeBack(PromotedSequence promoted)
    {
        (Sequence sequence, PromotionResult? result, Exception? error) = promoted;
        _scheduler.Return(sequence);
        try
        {
            BeforeStage?.Invoke(EngineStage.TakeBack, sequence);
            if (sequence.Generation.IsOver)
            {
                Drop(sequence); // Another choice of its generation failed meanwhile.
                return;
            }

            if (result is not null)
            {
                CountPromoted(sequence, result);
            }
            else
            {
                // What the lease holds is of no consequence: it begins anew, from what is hot.
                Tell(() => LogPromotionFailed(error!, sequence.Generation.Number));
                sequence.Lease!.Dispose();
                sequence.Lease = null;
                _scheduler.Acquire(sequence);
            }

            Scheduler.CountFound(sequence);
            sequence.WantsPromotion = result?.LackedRoom ?? false;
        }
        catch (Exception fault)
        {
            Fail(sequence, fault);
        }
    }

    // Of what was computed or found before, the loading is not counted again: it is no cached token of the prompt.
    private void CountPromoted(Sequence sequence, PromotionResult result)
    {
        if (sequence.ReachedCount < sequence.PromptLength)
            sequence.Generation.LeftToComputeTokenCount = (result.FoundBlocks - result.PlannedBlocks) * Cache.Shape.BlockSize;
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
        while (_scheduler.Loading.Exists(static sequence => sequence.IsHandedOver))
        {
            PromotedSequence promoted;
            lock (_gate)
            {
                while (!_promoted.TryDequeue(out promoted))
                    Monitor.Wait(_gate);
            }

            TakeBack(promoted);
        }
    }

    private void NotePrefill(int tokenCount, TimeSpan elapsed)
    {
        if (tokenCount > 0)
            Tiers?.NotePrefill(_batch.RowCount, elapsed);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Loading blocks for generation {Number} from the colder tiers failed; they are computed")]
    private partial void LogPromotionFailed(Exception error, long number);
}
