using KvTiers.Inference.Model;

namespace KvTiers.Inference.Scheduling;

/// <content>Beam search: a beam is a sequence; those that live on fork their leases, so that beams share every block but their last.</content>
public sealed partial class Engine
{
    // The beam stands aside until all of its search have their candidates.
    private void Offer(Sequence beam, ReadOnlySpan<float> logits)
    {
        BeforeStage?.Invoke(EngineStage.Sample, beam);
        Generation generation = beam.Generation;
        BeamSearch search = generation.Search ??= new BeamSearch(beam, generation.Request.IgnoreEndOfText ? [] : _endOfText);
        beam.Candidates = Sampler.Describe(logits, 0, search.CandidateCount).Top;
        _scheduler.Park(beam);
        if (search.IsReady)
            Advance(search);
    }

    private void Advance(BeamSearch search)
    {
        List<BeamStep> steps = search.Choose();
        if (steps.Count == 0)
        {
            EndBeams(search, null);
            return;
        }

        foreach (Sequence beam in search.Beams)
        {
            if (!steps.Exists(step => step.Beam == beam))
                Drop(beam);
        }

        search.Beams = ForkBeams(search, steps);
        _generatedTokens += steps.Count;
        search.Generation.GeneratedTokenCount += steps.Count;
        foreach (Sequence beam in search.Beams)
            NoteFirstToken(beam);
    }

    // Of a beam's steps the first continues the beam itself, once the others have their forks of it.
    private List<Sequence> ForkBeams(BeamSearch search, List<BeamStep> steps)
    {
        var continued = new HashSet<Sequence>();
        var next = new List<Sequence>(steps.Count);
        foreach (BeamStep step in steps)
        {
            if (continued.Add(step.Beam))
            {
                next.Add(step.Beam);
                continue;
            }

            Sequence fork = step.Beam.ForkBeam(search.NextNumber++, Tokenizer);
            fork.Extend(step.Token, step.LogProb);
            _scheduler.Enqueue(fork);
            BeforeStage?.Invoke(EngineStage.Fork, fork);
            BlockLease? lease = step.Beam.Lease;
            fork.Lease = lease is not null && _scheduler.HasPlace ? Cache.TryFork(lease) : null;
            if (fork.Lease is not null)
                _scheduler.Start(fork);
            next.Add(fork);
        }

        foreach (BeamStep step in steps)
        {
            if (continued.Remove(step.Beam))
            {
                step.Beam.Extend(step.Token, step.LogProb);
                _scheduler.Unpark(step.Beam);
            }
        }

        return next;
    }

    // The tokens of the best are told now: before, none of them was certain. A beam that the tiers have is dropped when it comes back.
    private void EndBeams(BeamSearch search, FinishReason? living)
    {
        Generation generation = search.Generation;
        IReadOnlyList<BeamHypothesis> best = search.Best(living);
        foreach (Sequence beam in search.Beams.Where(static beam => !beam.IsHandedOver))
        {
            BeforeStage?.Invoke(EngineStage.End, beam);
            if (beam.Lease is not null && generation.Request.UseCache)
                Cache.Publish(beam.Lease);
            Drop(beam);
        }

        for (int choice = 0; choice < generation.Request.Choices; choice++)
            generation.EndChoice(choice, choice < best.Count ? Report(generation, choice, best[choice]) : new ChoiceResult([], "", living ?? FinishReason.Length, null, null));
    }

    private ChoiceResult Report(Generation generation, int choice, BeamHypothesis hypothesis)
    {
        Sequence told = new Sequence(generation, Tokenizer).Fork(choice, Tokenizer);
        for (int i = 0; i < hypothesis.Tokens.Length; i++)
        {
            int id = hypothesis.Tokens[i];
            bool endsText = hypothesis.FinishReason == FinishReason.Stop && i == hypothesis.Tokens.Length - 1;
            generation.Emit(new GeneratedToken(choice, id, told.Accept(id, null, endsText).Text, null));
        }

        return told.ToResult(hypothesis.FinishReason);
    }
}
