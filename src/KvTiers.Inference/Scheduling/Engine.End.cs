using Microsoft.Extensions.Logging;

namespace KvTiers.Inference.Scheduling;

/// <content>How a sequence ends: with its answer, cancelled, or for what threw.</content>
public sealed partial class Engine
{
    private void End(Sequence sequence, FinishReason reason)
    {
        BeforeStage?.Invoke(EngineStage.End, sequence);
        Generation generation = sequence.Generation;
        if (generation.Search is { } search)
        {
            EndBeams(search, reason);
            return;
        }

        if (sequence.Lease is not null && generation.Request.UseCache)
            Cache.Publish(sequence.Lease);
        if (sequence.OutputCount > 1)
            _metrics.NotePaceOf(Time.GetElapsedTime(sequence.FirstTokenAt, sequence.LastTokenAt) / (sequence.OutputCount - 1));
        ChoiceResult result = sequence.ToResult(reason);
        if (generation.Request.KeepLease && sequence.Choice == 0 && reason != FinishReason.Cancelled)
            (generation.Lease, sequence.Lease) = (sequence.Lease, null);
        Drop(sequence);
        generation.EndChoice(sequence.Choice, result);

        // Choices that the prompt was not forked into yet end with it.
        bool isForked = sequence.OutputCount > 0;
        for (int choice = 1; choice < generation.Request.Choices && !isForked; choice++)
            generation.EndChoice(choice, new ChoiceResult([], "", reason, null, null));
    }

    private void EndCancelled(Func<Generation, bool> isCancelled)
    {
        foreach (Sequence sequence in _scheduler.Find(isCancelled))
        {
            try
            {
                if (sequence.State != SequenceState.Done)
                    End(sequence, FinishReason.Cancelled);
            }
            catch (Exception error)
            {
                Fail(sequence, error);
            }
        }
    }

    // Only a pool that was shrunk meanwhile can be too small: Submit refuses what never fits.
    private void EndWhatOutgrewThePool()
    {
        Sequence? first = _scheduler.Running.Count > 0 ? _scheduler.Running[0] : _scheduler.Waiting.Count > 0 ? _scheduler.Waiting[0] : null;
        int limit = MaxTokenCount;
        if (first is null || first.TokenCount <= limit)
            return;
        try
        {
            if (first.OutputCount == 0)
                throw new PromptTooLongException(first.PromptLength, limit - 1, $"the block pool was shrunk to {limit} tokens");
            End(first, FinishReason.Length);
        }
        catch (Exception error)
        {
            Fail(first, error);
        }
    }

    private void FailAll(Exception error)
    {
        foreach (Sequence sequence in _scheduler.Find(static _ => true))
            Fail(sequence, error);
    }

    /// <summary>
    /// Ends a sequence that something threw for, and with it all of its generation: there is one result for them. Of a choice that is with the tiers, the
    /// lease is released when it comes back. Throws nothing.
    /// </summary>
    /// <remarks>What a failed step wrote was not appended, so releasing the leases leaves no trace of it.</remarks>
    private void Fail(Sequence touched, Exception error)
    {
        Generation generation = touched.Generation;
        foreach (Sequence sequence in _scheduler.Find(other => other == generation))
            Drop(sequence);
        Drop(touched);
        if (generation.IsOver)
            return;
        Tell(() => LogFailed(error, generation.Number));
        generation.Fail(error as PromptTooLongException ?? (Exception)new GenerationFailedException($"The generation failed: {error.Message}", error));
    }

    // Whatever becomes of the lease, the sequence is done; and it is out of the counts before anybody hears of its end.
    private void Drop(Sequence sequence)
    {
        BlockLease? lease = sequence.Lease;
        sequence.Lease = null;
        _scheduler.Remove(sequence);
        CountSequences();
        Release(lease);
    }

    private void Release(BlockLease? lease)
    {
        try
        {
            lease?.Dispose();
        }
        catch (Exception error)
        {
            Tell(() => LogReleaseFailed(error));
        }
    }

    // A logger that throws touches no sequence.
    private static void Tell(Action log)
    {
        try
        {
            log();
        }
        catch (Exception)
        {
            // There is nobody left to tell.
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Generation {Number} failed")]
    private partial void LogFailed(Exception error, long number);

    [LoggerMessage(Level = LogLevel.Error, Message = "Releasing the blocks of a sequence failed")]
    private partial void LogReleaseFailed(Exception error);
}
