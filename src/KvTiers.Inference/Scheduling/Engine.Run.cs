using KvTiers.Inference.Model;
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
        LogStarted(_options.MaxTokensPerStep, _options.MaxRunning);
        while (TakeSubmissions(out bool hasCancellations))
        {
            try
            {
                if (hasCancellations)
                    EndCancelled(static generation => generation.IsCancelled);
                Plan();
                if (_scheduler.Chunks.Count > 0)
                    Step();
                else
                    EndWhatOutgrewThePool();
            }
            catch (Exception error)
            {
                // The plan or the cache is at fault, so no running sequence can be trusted.
                FailRunning(error);
            }

            CountSequences();
        }

        FinishPromotions();
        EndCancelled(static _ => true);
        CountSequences();
        _batch.Dispose();
        _metrics.Dispose();
        LogStopped(_steps);
        _stopped.SetResult();
    }

    // Waits while there is nothing to compute. False once the engine is being disposed.
    private bool TakeSubmissions(out bool hasCancellations)
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

            hasCancellations = _hasCancellations;
            _hasCancellations = false;
            while (_submitted.TryDequeue(out Sequence? sequence))
            {
                _scheduler.Enqueue(sequence);
                hasCancellations |= sequence.Generation.IsCancelled;
            }

            while (_promoted.TryDequeue(out PromotedSequence promoted))
            {
                TakePromoted(promoted);
                hasCancellations |= promoted.Sequence.Generation.IsCancelled;
            }

            return !_isStopping;
        }
    }

    private void Plan()
    {
        _scheduler.Plan();
        foreach (Sequence sequence in _scheduler.Promotions)
            Promote(sequence);
        CountSequences();
        lock (_gate)
            _waitingCount = _scheduler.Waiting.Count + _scheduler.Promoting + _submitted.Count;
    }

    private void Step()
    {
        long start = Time.GetTimestamp();
        IReadOnlyList<ScheduledChunk> chunks = _scheduler.Chunks;
        _batch.Clear();
        int prefillTokens = 0;
        for (int i = 0; i < chunks.Count; i++)
        {
            (Sequence sequence, int count) = chunks[i];
            prefillTokens += sequence.IsDecoding ? 0 : count;
            int computed = sequence.ComputedCount;
            _batch.Add(sequence.Lease!.Table, sequence.Tokens.Slice(computed, count), computed, LogitRows(sequence, count));
        }

        try
        {
            Model.Forward(_batch);
        }
        catch (Exception error)
        {
            FailPlanned(error);
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
                Fail(chunks[i].Sequence.Generation, error);
            }
        }

        TimeSpan elapsed = Time.GetElapsedTime(start);
        _metrics.StepTime.Record(elapsed.TotalSeconds);
        NotePrefill(prefillTokens, elapsed);
        _prefillBound.Note(prefillTokens, _batch.RowCount, elapsed);
        _scheduler.PrefillBesideDecode = _prefillBound.Tokens;
    }

    private static int LogitRows(Sequence sequence, int count)
    {
        if (sequence.NeedsPromptLogits)
            return count;
        return count == sequence.PendingCount && sequence.TokenCount < sequence.Generation.MaxTokenCount ? 1 : 0;
    }

    // K and V of the chunk are written: hand it to the cache, and sample when it was the last.
    private void Complete(ScheduledChunk chunk, int segment)
    {
        (Sequence sequence, int count) = chunk;
        Generation generation = sequence.Generation;
        if (sequence.Lease is null)
            return; // Another choice of its generation failed in this very step.
        int start = sequence.ComputedCount;
        if (sequence.NeedsPromptLogits)
            DescribePrompt(sequence, start, count, segment);
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
        if (sequence.OutputCount == 0 && sequence.Choice == 0)
            Fork(sequence, logits);
        SampleNext(sequence, logits);
    }

    private void DescribePrompt(Sequence sequence, int start, int count, int segment)
    {
        Generation generation = sequence.Generation;
        int top = generation.Request.PromptLogProbs!.Value;
        for (int row = 0; row < count && start + row + 1 < sequence.PromptLength; row++)
        {
            int position = start + row + 1;
            generation.SetPromptLogProb(position, Sampler.Describe(_batch.Logits(segment, row)[.._sampledVocabulary], sequence.Tokens[position], top));
        }
    }

    // The prompt is computed: the other choices take its blocks and sample from the same logits. One for which there is no block now waits for one.
    private void Fork(Sequence first, ReadOnlySpan<float> logits)
    {
        for (int choice = 1; choice < first.Generation.Request.Choices; choice++)
        {
            Sequence sequence = first.Fork(choice, Tokenizer);
            sequence.Lease = _scheduler.HasPlace ? Cache.TryFork(first.Lease!) : null;
            if (sequence.Lease is null)
                _scheduler.Enqueue(sequence);
            else
                _scheduler.Start(sequence);
            SampleNext(sequence, logits);
        }
    }

    private void SampleNext(Sequence sequence, ReadOnlySpan<float> logits)
    {
        Generation generation = sequence.Generation;
        SamplingOptions options = generation.Request.Sampling;
        int id = _sampler.Sample(logits, options, sequence.Counts, new RandomDraw(generation.Seed, sequence.TokenCount, sequence.Choice));
        TokenLogProb? logProb = options.TopLogProbs is { } top ? Sampler.Describe(logits, id, top) : null;
        AcceptedToken accepted = sequence.Accept(id, logProb, !generation.Request.IgnoreEndOfText && _endOfText.Contains(id));
        _generatedTokens++;
        NoteFirstToken(sequence);
        generation.Emit(new GeneratedToken(sequence.Choice, id, accepted.Text, logProb));
        if (accepted.FinishReason is { } reason)
            End(sequence, reason);
    }

    private void NoteFirstToken(Sequence sequence)
    {
        long now = Time.GetTimestamp();
        Generation generation = sequence.Generation;
        if (sequence.OutputCount > 1)
            _metrics.InterTokenLatency.Record(Time.GetElapsedTime(sequence.LastTokenAt, now).TotalSeconds);
        else
            sequence.FirstTokenAt = now;
        sequence.LastTokenAt = now;
        if (generation.TimeToFirstToken is not null)
            return;
        generation.TimeToFirstToken = Time.GetElapsedTime(generation.SubmittedAt, now);
        _metrics.TimeToFirstToken.Record(generation.TimeToFirstToken.Value.TotalSeconds);
        _cachedTokens += generation.CachedTokenCount;
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

    private void End(Sequence sequence, FinishReason reason)
    {
        Generation generation = sequence.Generation;
        _scheduler.Remove(sequence);
        BlockLease? lease = sequence.Lease;
        sequence.Lease = null;
        if (lease is not null && generation.Request.UseCache)
            Cache.Publish(lease);
        if (generation.Request.KeepLease && sequence.Choice == 0 && reason != FinishReason.Cancelled)
            generation.Lease = lease;
        else
            lease?.Dispose();
        if (sequence.OutputCount > 1)
            _metrics.TimePerOutputToken.Record(Time.GetElapsedTime(sequence.FirstTokenAt, sequence.LastTokenAt).TotalSeconds / (sequence.OutputCount - 1));
        generation.EndChoice(sequence.Choice, sequence.ToResult(reason));

        // Choices that the prompt was not forked into yet end with it.
        bool isForked = sequence.OutputCount > 0;
        for (int choice = 1; choice < generation.Request.Choices && !isForked; choice++)
            generation.EndChoice(choice, new ChoiceResult([], "", reason, null, null));
    }

    private void EndCancelled(Func<Generation, bool> isCancelled)
    {
        foreach (Sequence sequence in _scheduler.Find(isCancelled))
            End(sequence, FinishReason.Cancelled);
    }

    // Only a pool that was shrunk meanwhile can be too small: Submit refuses what never fits.
    private void EndWhatOutgrewThePool()
    {
        Sequence? first = _scheduler.Running.Concat(_scheduler.Waiting).FirstOrDefault();
        int limit = MaxTokenCount;
        if (first is null || first.TokenCount <= limit)
            return;
        if (first.OutputCount > 0)
            End(first, FinishReason.Length);
        else
            Fail(first.Generation, new PromptTooLongException(first.PromptLength, limit - 1, $"the block pool was shrunk to {limit} tokens"));
    }

    private void FailPlanned(Exception error)
    {
        foreach (Generation generation in _scheduler.Chunks.Select(chunk => chunk.Sequence.Generation).Distinct().ToList())
            Fail(generation, error);
    }

    private void FailRunning(Exception error)
    {
        foreach (Generation generation in _scheduler.Running.Concat(_scheduler.Waiting.Take(1)).Select(sequence => sequence.Generation).Distinct().ToList())
            Fail(generation, error);
    }

    // What the failed step wrote was not appended, so releasing the leases leaves no trace of it.
    private void Fail(Generation generation, Exception error)
    {
        LogFailed(error, generation.Number);
        foreach (Sequence sequence in _scheduler.Find(other => other == generation))
        {
            _scheduler.Remove(sequence);
            sequence.Lease?.Dispose();
            sequence.Lease = null;
        }

        generation.Fail(error as PromptTooLongException ?? (Exception)new GenerationFailedException($"The generation failed: {error.Message}", error));
    }

    private void CountSequences()
    {
        Volatile.Write(ref _running, _scheduler.Running.Count);
        Volatile.Write(ref _waiting, _scheduler.Waiting.Count + _scheduler.Promoting);
        Volatile.Write(ref _preemptions, _scheduler.Preemptions);
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Engine started: at most {MaxTokensPerStep} tokens a step, {MaxRunning} sequences side by side")]
    private partial void LogStarted(int maxTokensPerStep, int maxRunning);

    [LoggerMessage(Level = LogLevel.Error, Message = "Generation {Number} failed")]
    private partial void LogFailed(Exception error, long number);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Engine stopped after {Steps} steps")]
    private partial void LogStopped(long steps);
}
