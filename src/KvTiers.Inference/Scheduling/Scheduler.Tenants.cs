namespace KvTiers.Inference.Scheduling;

/// <content>
/// Fairness between tenants (<see cref="GenerationRequest.Tenant"/>), by their weights. The tenant that has the least in work is admitted first, and of
/// several the one that was served the fewest tokens; of whom the fewest prompt tokens were computed, the prompts are computed first. A tenant that comes, or
/// comes back, begins level with the one served least, so that idleness saves nothing up. A tenant with less in work than its share gets a place at once, if need be
/// that of the latest sequence of the tenant with the most, as long as that one keeps as much. A tenant with four times as much in work as one that has a prompt to
/// compute stands back until the prompt is computed, unless the other is 2,048 tokens ahead: so one tenant's many answers do not hold up another's first token.
/// </content>
internal sealed partial class Scheduler
{
    private const int FarMore = 4;
    private const int LeadTokens = 2_048;

    private readonly List<ScheduledChunk> _aside = [];
    private TenantShare? _favoured;

    // Of the tenant with the least in work, or else served least, the first in the queue. While admission is held, only tenants without anything in work come in.
    private Sequence? NextWaiting(bool isHeld)
    {
        Sequence? next = null;
        foreach (Sequence sequence in Waiting)
        {
            if (isHeld && sequence.Tenant!.Running > 0)
                continue;
            if (next is null || (sequence.Tenant!.Load(), sequence.Tenant.Served).CompareTo((next.Tenant!.Load(), next.Tenant.Served)) < 0)
                next = sequence;
        }

        return next;
    }

    // Of the tenant with the most in work, the latest. With one tenant that is the latest of all.
    private Sequence LatestOfTheLargest()
    {
        Sequence latest = Running[^1];
        for (int i = Running.Count - 2; i >= 0; i--)
        {
            if (Running[i].Tenant!.Load() > latest.Tenant!.Load())
                latest = Running[i];
        }

        return latest;
    }

    // Gives up the place and the blocks of another tenant's sequence to one whose tenant then still has no more in work than that one. So the two never
    // take a place from each other in turn.
    private bool TryYieldTo(Sequence sequence)
    {
        if (Running.Count == 0)
            return false;
        Sequence latest = LatestOfTheLargest();
        if (latest.Tenant == sequence.Tenant || latest.Tenant!.Load(-1) < sequence.Tenant!.Load(1))
            return false;
        Preempt(latest);
        return true;
    }

    // Takes the rows of tenants that stand back out of the plan. Their number.
    private int SetAside()
    {
        foreach (Sequence sequence in Running)
        {
            TenantShare tenant = sequence.Tenant!;
            if (!sequence.IsDecoding && (_favoured is null || (tenant.Load(), tenant.Computed).CompareTo((_favoured.Load(), _favoured.Computed)) < 0))
                _favoured = tenant;
        }

        int rows = 0;
        for (int i = _chunks.Count - 1; i >= 0; i--)
        {
            (Sequence sequence, int count) = _chunks[i];
            if (!StandsBack(sequence.Tenant!))
                continue;
            _aside.Insert(0, _chunks[i]);
            _chunks.RemoveAt(i);
            sequence.Tenant!.Serve(-count);
            rows += count;
        }

        return rows;
    }

    // Whom they stood back for could not be computed after all.
    private void TakeBackSetAside()
    {
        if (_aside.Count == 0 || _chunks.Exists(chunk => chunk.Sequence.Tenant == _favoured))
            return;
        foreach (ScheduledChunk chunk in _aside)
            chunk.Sequence.Tenant!.Serve(chunk.TokenCount);
        _chunks.InsertRange(0, _aside);
        _aside.Clear();
    }

    private bool StandsBack(TenantShare tenant) =>
        _favoured is { } favoured && tenant != favoured && tenant.Load() >= FarMore * favoured.Load() && favoured.Computed <= tenant.Computed + LeadTokens;

    // The prompt to go on with next: of the tenant with the fewest prompt tokens computed, the first that this plan has not looked at.
    private int NextPrefill()
    {
        int next = -1;
        for (int i = 0; i < Running.Count; i++)
        {
            if (Running[i].ConsideredIn != _plan && !StandsBack(Running[i].Tenant!) && (next < 0 || Running[i].Tenant!.Prefilled < Running[next].Tenant!.Prefilled))
                next = i;
        }

        return next;
    }
}
