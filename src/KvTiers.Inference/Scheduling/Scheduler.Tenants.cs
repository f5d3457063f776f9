namespace KvTiers.Inference.Scheduling;

/// <content>
/// Fairness between tenants (<see cref="GenerationRequest.Tenant"/>), by their weights. The tenant that has the least in work is admitted first, and of
/// several the one that was served the fewest tokens; of whom the fewest prompt tokens were computed, the prompts are computed first. A tenant that comes, or comes back, begins level with the one served least, so that idleness saves nothing up. A tenant with
/// less in work than its share gets a place at once, if need be that of the latest sequence of the tenant with the most, as long as that one keeps as much.
/// </content>
internal sealed partial class Scheduler
{
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

    // The prompt to go on with next: of the tenant with the fewest prompt tokens computed, the first that this plan has not looked at.
    private int NextPrefill()
    {
        int next = -1;
        for (int i = 0; i < Running.Count; i++)
        {
            if (Running[i].ConsideredIn != _plan && (next < 0 || Running[i].Tenant!.Prefilled < Running[next].Tenant!.Prefilled))
                next = i;
        }

        return next;
    }
}
