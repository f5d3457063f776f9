namespace KvTiers.Inference.Scheduling;

/// <content>
/// Fairness between tenants, a tenant being who shares a root hash. The tenant that was served the fewest tokens is admitted first, and its prompts are
/// computed first; a tenant that comes, or comes back, begins level with the one served least, so that idleness saves nothing up. A tenant with
/// nothing in work gets a place at once, if need be that of the latest sequence of the tenant with the most.
/// </content>
internal sealed partial class Scheduler
{
    // Of the tenant served least, the first in the queue. While admission is held, only tenants without anything in work come in.
    private Sequence? NextWaiting(bool isHeld)
    {
        Sequence? next = null;
        foreach (Sequence sequence in Waiting)
        {
            if (isHeld && sequence.Tenant!.Running > 0)
                continue;
            if (next is null || sequence.Tenant!.Served < next.Tenant!.Served)
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
            if (Running[i].Tenant!.Running > latest.Tenant!.Running)
                latest = Running[i];
        }

        return latest;
    }

    // Gives up the place and the blocks of another tenant's sequence to one whose tenant has none in work.
    private bool TryYieldTo(Sequence sequence)
    {
        if (sequence.Tenant!.Running > 0 || Running.Count == 0)
            return false;
        Sequence latest = LatestOfTheLargest();
        if (latest.Tenant!.Running < 2)
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
