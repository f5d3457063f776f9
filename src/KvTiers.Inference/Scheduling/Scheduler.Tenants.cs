using KvTiers.Prefix;

namespace KvTiers.Inference.Scheduling;

/// <content>
/// Fairness between tenants, a tenant being who shares a root hash. The tenant that was served the fewest tokens is admitted first, and its prompts are
/// computed first; a tenant that comes, or comes back, begins level with the one served least, so that idleness saves nothing up. A tenant with
/// nothing in work gets a place at once, if need be that of the latest sequence of the tenant with the most.
/// </content>
internal sealed partial class Scheduler
{
    private readonly Dictionary<BlockHash, TenantShare> _tenants = [];

    private TenantShare TenantOf(Sequence sequence)
    {
        if (sequence.Tenant is { } known)
            return known;
        BlockHash root = sequence.Generation.Root;
        if (!_tenants.TryGetValue(root, out TenantShare? share))
        {
            share = new TenantShare
            {
                Served = _tenants.Count == 0 ? 0 : _tenants.Values.Min(static tenant => tenant.Served),
                Prefilled = _tenants.Count == 0 ? 0 : _tenants.Values.Min(static tenant => tenant.Prefilled),
            };
            _tenants.Add(root, share);
        }

        return sequence.Tenant = share;
    }

    private void AddWaiting(Sequence sequence)
    {
        TenantOf(sequence).Waiting++;
        Insert(_waiting, sequence);
    }

    private void AddRunning(Sequence sequence)
    {
        TenantOf(sequence).Running++;
        Insert(_running, sequence);
    }

    private bool RemoveWaiting(Sequence sequence)
    {
        if (!_waiting.Remove(sequence))
            return false;
        sequence.Tenant!.Waiting--;
        Leave(sequence);
        return true;
    }

    private bool RemoveRunning(Sequence sequence)
    {
        if (!_running.Remove(sequence))
            return false;
        sequence.Tenant!.Running--;
        Leave(sequence);
        return true;
    }

    private void Leave(Sequence sequence)
    {
        if (sequence.Tenant is not { Waiting: 0, Running: 0 })
            return;
        _tenants.Remove(sequence.Generation.Root);
        sequence.Tenant = null;
    }

    // Of the tenant served least, the first in the queue. While admission is held, only tenants without anything in work come in.
    private Sequence? NextWaiting(bool isHeld)
    {
        Sequence? next = null;
        foreach (Sequence sequence in _waiting)
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
        Sequence latest = _running[^1];
        for (int i = _running.Count - 2; i >= 0; i--)
        {
            if (_running[i].Tenant!.Running > latest.Tenant!.Running)
                latest = _running[i];
        }

        return latest;
    }

    // Gives up the place and the blocks of another tenant's sequence to one whose tenant has none in work.
    private bool TryYieldTo(Sequence sequence)
    {
        if (sequence.Tenant!.Running > 0 || _running.Count == 0)
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
        for (int i = 0; i < _running.Count; i++)
        {
            if (_running[i].ConsideredIn != _plan && (next < 0 || _running[i].Tenant!.Prefilled < _running[next].Tenant!.Prefilled))
                next = i;
        }

        return next;
    }
}
