using Microsoft.Extensions.Logging;

namespace KvTiers.Inference.Scheduling;

/// <content>The engine's thread: submissions → plan → forward pass → tokens, until it is disposed.</content>
public sealed partial class Engine
{
    // Written by the engine's thread, read by any.
    private int _running;
    private int _waiting;
    private long _steps;
    private long _computedTokens;
    private long _cachedTokens;
    private long _recomputedTokens;
    private long _generatedTokens;
    private long _preemptions;

    /// <summary>What the engine does now and has done.</summary>
    public EngineSnapshot Snapshot() => new(
        Volatile.Read(ref _waiting),
        Volatile.Read(ref _running),
        Volatile.Read(ref _steps),
        Volatile.Read(ref _computedTokens),
        Volatile.Read(ref _cachedTokens),
        Volatile.Read(ref _recomputedTokens),
        Volatile.Read(ref _generatedTokens),
        Volatile.Read(ref _preemptions));

    private void Run()
    {
        Tell(() => LogStarted(_options.MaxTokensPerStep, _options.MaxRunning));
        while (WaitForWork())
        {
            try
            {
                TakeArrived();
                Plan();
                if (_scheduler.Chunks.Count > 0)
                    Step();
                else
                    EndWhatOutgrewThePool();
            }
            catch (Exception error)
            {
                // None of the guards inside has caught it, so it cannot be told whose it is.
                FailAll(error);
            }

            CountSequences();
        }

        Stop();
    }

    private void Stop()
    {
        try
        {
            TakeArrived();
            FinishPromotions();
            EndCancelled(static _ => true);
            CountSequences();
        }
        catch (Exception error)
        {
            FailAll(error);
        }
        finally
        {
            _batch.Dispose();
            _metrics.Dispose();
            Tell(() => LogStopped(_steps));
            _stopped.SetResult();
        }
    }

    // Waits while there is nothing to compute, and takes what has come. False once the engine is being disposed.
    private bool WaitForWork()
    {
        bool isBlocked = _scheduler.Chunks.Count == 0;
        lock (_gate)
        {
            bool mayWait = isBlocked;
            while (mayWait && !_isStopping && !_hasCancellations && _submitted.Count == 0 && _promoted.Count == 0)
            {
                bool isEmpty = _scheduler.Running.Count + _scheduler.Waiting.Count == 0;
                mayWait = Monitor.Wait(_gate, isEmpty ? Timeout.InfiniteTimeSpan : BlockedPoll);
            }

            while (_submitted.TryDequeue(out Sequence? sequence))
                _arrived.Add(sequence);
            while (_promoted.TryDequeue(out PromotedSequence promoted))
                _returned.Add(promoted);
            return !_isStopping;
        }
    }

    private void TakeArrived()
    {
        bool hasCancellations = Interlocked.Exchange(ref _hasCancellations, false);
        foreach (Sequence sequence in _arrived)
        {
            Enqueue(sequence);
            hasCancellations |= sequence.Generation.IsCancelled;
        }

        _arrived.Clear();
        foreach (PromotedSequence promoted in _returned)
        {
            TakeBack(promoted);
            hasCancellations |= promoted.Sequence.Generation.IsCancelled;
        }

        _returned.Clear();
        if (hasCancellations)
            EndCancelled(static generation => generation.IsCancelled);
    }

    private void Enqueue(Sequence sequence)
    {
        try
        {
            BeforeStage?.Invoke(EngineStage.Enqueue, sequence);
            _scheduler.Enqueue(sequence);
        }
        catch (Exception error)
        {
            Fail(sequence, error);
        }
    }

    // Each fault ends the sequence that it touched, so the planning ends too.
    private void Plan()
    {
        bool isPlanned = false;
        while (!isPlanned)
        {
            try
            {
                _scheduler.Plan();
                isPlanned = true;
            }
            catch (Exception error) when (_scheduler.Touched is { } touched)
            {
                Fail(touched, error);
            }
        }

        HandOver();
        CountSequences();
    }

    private void Step()
    {
        long start = Time.GetTimestamp();
        List<ScheduledChunk> chunks = _scheduler.Chunks;
        if (!TryFillBatch(chunks, out int prefillTokens))
            return;
        try
        {
            Model.Forward(_batch);
        }
        catch (Exception error)
        {
            foreach (ScheduledChunk chunk in chunks)
                Fail(chunk.Sequence, error);
            return;
        }

        _steps++;
        for (int i = 0; i < chunks.Count; i++)
        {
            try
            {
                Complete(chunks[i], i);
            }
            catch (Exception error)
            {
                Fail(chunks[i].Sequence, error);
            }
        }

        TimeSpan elapsed = Time.GetElapsedTime(start);
        _metrics.NoteStep(elapsed);
        NotePrefill(prefillTokens, elapsed);
        _prefillBound.Note(prefillTokens, _batch.RowCount, elapsed);
        _scheduler.PrefillBesideDecode = _prefillBound.Tokens;
    }

    // False when a chunk cannot be put in; the next plan is made without its sequence.
    private bool TryFillBatch(List<ScheduledChunk> chunks, out int prefillTokens)
    {
        prefillTokens = 0;
        _batch.Clear();
        foreach ((Sequence sequence, int count) in chunks)
        {
            try
            {
                BeforeStage?.Invoke(EngineStage.Batch, sequence);
                prefillTokens += sequence.IsDecoding ? 0 : count;
                int computed = sequence.ComputedCount;
                if (sequence.Generation.States is null)
                    _batch.Add(sequence.Lease!.Table, sequence.Tokens.Slice(computed, count), computed, LogitRows(sequence, count));
                else
                    _batch.AddForHidden(sequence.Lease!.Table, sequence.Tokens.Slice(computed, count), computed, HiddenRows(sequence, computed + count));
            }
            catch (Exception error)
            {
                Fail(sequence, error);
                return false;
            }
        }

        return true;
    }

    private static int LogitRows(Sequence sequence, int count)
    {
        if (sequence.NeedsPromptLogits)
            return count;
        return count == sequence.PendingCount && sequence.TokenCount < sequence.Generation.MaxTokenCount ? 1 : 0;
    }

    // Of rows that are computed a second time the states are gathered already.
    private static int HiddenRows(Sequence sequence, int end) =>
        sequence.Generation.States!.NeedsAll ? Math.Max(0, end - Math.Max(sequence.ReachedCount, sequence.ComputedCount)) : end == sequence.TokenCount ? 1 : 0;

    // K and V of the chunk are written: hand it to the cache, and sample when it was the last.
    private void Complete(ScheduledChunk chunk, int segment)
    {
        (Sequence sequence, int count) = chunk;
        Generation generation = sequence.Generation;
        if (sequence.Lease is null)
            return; // Another choice of its generation failed in this very step.
        BeforeStage?.Invoke(EngineStage.Append, sequence);
        int start = sequence.ComputedCount;
        if (sequence.NeedsPromptLogits)
            DescribePrompt(sequence, start, count, segment);
        for (int row = 0; row < _batch.Segments[segment].HiddenRowCount; row++)
            generation.States!.Add(_batch.Hidden(segment, row));
        Cache.Append(sequence.Lease, sequence.Tokens.Slice(start, count));
        CountComputed(sequence, start, start + count);
        if (sequence.PendingCount > 0)
            return;
        if (sequence.TokenCount == generation.MaxTokenCount)
        {
            NoteFirstToken(sequence); // A prompt without new tokens.
            End(sequence, FinishReason.Length);
            return;
        }

        int rows = _batch.Segments[segment].LogitRowCount;
        ReadOnlySpan<float> logits = _batch.Logits(segment, rows - 1)[.._sampledVocabulary];
        if (generation.Request.Beams is not null)
        {
            Offer(sequence, logits);
            return;
        }

        if (sequence.OutputCount == 0 && sequence.Choice == 0)
            Fork(sequence, logits);
        SampleNext(sequence, logits);
    }

    private void CountComputed(Sequence sequence, int start, int end)
    {
        Generation generation = sequence.Generation;
        int repeated = Math.Max(0, Math.Min(end, sequence.ReachedCount) - start);
        int prompt = Math.Max(0, Math.Min(end, sequence.PromptLength) - Math.Max(start, sequence.ReachedCount));
        generation.RecomputedTokenCount += repeated;
        generation.ComputedTokenCount += prompt;
        _recomputedTokens += repeated;
        _computedTokens += prompt;
        sequence.ReachedCount = Math.Max(sequence.ReachedCount, end);
    }

    private void CountSequences()
    {
        Volatile.Write(ref _running, _scheduler.Running.Count);
        Volatile.Write(ref _waiting, _scheduler.Waiting.Count + _scheduler.Loading.Count);
        Volatile.Write(ref _preemptions, _scheduler.Preemptions);
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Engine started: at most {MaxTokensPerStep} tokens a step, {MaxRunning} sequences side by side")]
    private partial void LogStarted(int maxTokensPerStep, int maxRunning);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Engine stopped after {Steps} steps")]
    private partial void LogStopped(long steps);
}
