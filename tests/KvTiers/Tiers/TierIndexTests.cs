using KvTiers.Tiers;

namespace KvTiers.Tests.Tiers;

public sealed class TierIndexTests
{
    /// <summary>A tenant over its budget used to look at everybody's blocks, under the store's lock.</summary>
    [Fact]
    public void ATenantsVictimsAreFoundAmongItsOwnInEvictionOrder()
    {
        var time = new ManualTime();
        var index = new TierIndex(1000, time);
        for (int i = 0; i < 990; i++)
            Add(index, i, tenant: 1);

        Add(index, 990, tenant: 2, priority: 3);
        int first = Add(index, 991, tenant: 2);
        int second = Add(index, 992, tenant: 2);
        int expired = Add(index, 993, tenant: 2, expires: time.GetUtcNow() + TimeSpan.FromMinutes(1));
        int pinned = Add(index, 994, tenant: 2);
        index.Pin(pinned);
        index.Touch(first, null);
        time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal([expired, second, first], index.VictimsOf(2, 3));
        Assert.Equal(3, index.VisitedEntries);
        Assert.Equal(3, index.EvictTenant(2, 3));
        Assert.Equal((2, 990), (index.CountOf(2), index.CountOf(1)));
        index.Remove(pinned);
        index.Unpin(pinned);
        Assert.Equal(1, index.EvictTenant(2, 100));
        Assert.Empty(index.VictimsOf(2, 100));
        Assert.Equal(990, index.EvictTenant(1, 1000));
        Assert.Equal((0, 0), (index.Count, index.InUseCount));
    }

    private static int Add(TierIndex index, int number, int tenant, int priority = 0, DateTimeOffset? expires = null)
    {
        Assert.True(index.TryTake(TestBlocks.Hash(number), TestBlocks.Attributes(priority, expires) with { Tenant = tenant }, out int slot));
        Assert.True(index.Commit(slot));
        return slot;
    }
}
