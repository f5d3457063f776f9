using System.Runtime.InteropServices;
using KvTiers.Inference.Constraints;
using KvTiers.Inference.Model;

namespace KvTiers.Inference.Scheduling;

/// <content>From logits to tokens: what may come next, what is chosen, and whom it is told.</content>
public sealed partial class Engine
{
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
            _scheduler.Enqueue(sequence);
            BeforeStage?.Invoke(EngineStage.Fork, sequence);
            sequence.Lease = _scheduler.HasPlace ? Cache.TryFork(first.Lease!) : null;
            if (sequence.Lease is not null)
                _scheduler.Start(sequence);
            SampleNext(sequence, logits);
        }
    }

    private void SampleNext(Sequence sequence, ReadOnlySpan<float> logits)
    {
        BeforeStage?.Invoke(EngineStage.Sample, sequence);
        Generation generation = sequence.Generation;
        SamplingOptions options = generation.Request.Sampling;
        CollectBans(sequence);
        int id = Choose(sequence, logits);
        TokenLogProb? logProb = options.TopLogProbs is { } top ? Sampler.Describe(logits, id, top) : null;
        AcceptedToken accepted = sequence.Accept(id, logProb, !generation.Request.IgnoreEndOfText && _endOfText.Contains(id));
        _generatedTokens++;
        generation.GeneratedTokenCount++;
        NoteFirstToken(sequence);
        generation.Emit(new GeneratedToken(sequence.Choice, id, accepted.Text, logProb));
        if (accepted.FinishReason is { } reason)
            End(sequence, reason);
    }

    // The tokens that cannot come next.
    private void CollectBans(Sequence sequence)
    {
        _bans.Clear();
        sequence.Words?.Collect(_bans);
        if (!sequence.IsBelowMinimum)
            return;
        GenerationRequest request = sequence.Generation.Request;
        if (!request.IgnoreEndOfText)
            _bans.AddRange(Tokenizer.EndOfText);
        _bans.AddRange(request.StopTokenIds);
    }

    // Where a constraint leaves one token, nothing is to be chosen.
    private int Choose(Sequence sequence, ReadOnlySpan<float> logits)
    {
        Generation generation = sequence.Generation;
        ReadOnlySpan<ulong> allowed = sequence.Constraint is { } constraint ? constraint.Allowed(_bans) : default;
        int only = ConstrainedText.OnlyOne(allowed);
        if (only >= 0 && only < logits.Length)
            return only;
        var draw = new RandomDraw(generation.Seed, sequence.TokenCount, sequence.Choice);
        return _sampler.Sample(logits, generation.Request.Sampling, sequence.Counts, draw, CollectionsMarshal.AsSpan(_bans), allowed);
    }

    private void NoteFirstToken(Sequence sequence)
    {
        long now = Time.GetTimestamp();
        Generation generation = sequence.Generation;
        if (sequence.OutputCount > 1)
            _metrics.NoteGap(Time.GetElapsedTime(sequence.LastTokenAt, now));
        else
            sequence.FirstTokenAt = now;
        sequence.LastTokenAt = now;
        if (generation.TimeToFirstToken is not null)
            return;
        generation.TimeToFirstToken = Time.GetElapsedTime(generation.SubmittedAt, now);
        _metrics.NoteFirstToken(generation.TimeToFirstToken.Value);
        _cachedTokens += generation.CachedTokenCount;
    }
}
