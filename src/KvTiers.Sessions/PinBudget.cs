using KvTiers.Prefix;

namespace KvTiers.Sessions;

/// <summary>Keeps pins from taking so many blocks that no turn can be computed. Counts shared blocks once per pin, so it errs on the safe side.</summary>
internal sealed class PinBudget(KvCache cache, double share)
{
    private readonly Lock _lock = new();
    private long _pinnedBlocks;

    /// <summary>Blocks that a pin of so many tokens holds at most.</summary>
    public int BlocksFor(int tokenCount) => (tokenCount + cache.Shape.BlockSize - 1) / cache.Shape.BlockSize;

    /// <summary>Pins as many leading tokens as the budget has room for, in place of a former pin, which ends when the new one holds.</summary>
    public Pin Pin(BlockHash root, ReadOnlySpan<int> tokens, DateTimeOffset? until, Pin? former)
    {
        lock (_lock)
        {
            if (former is not null)
                _pinnedBlocks -= BlocksFor(former.TokenCount);
            long room = Math.Max(0, (long)(share * cache.Pool.Capacity) - _pinnedBlocks);
            int count = (int)Math.Min(tokens.Length, room * cache.Shape.BlockSize);
            Pin pin = cache.Pin(root, tokens[..count], until);
            _pinnedBlocks += BlocksFor(pin.TokenCount);
            former?.Dispose();
            return pin;
        }
    }

    /// <summary>Ends a pin that <see cref="Pin"/> made.</summary>
    public void Unpin(Pin pin)
    {
        lock (_lock)
            _pinnedBlocks -= BlocksFor(pin.TokenCount);
        pin.Dispose();
    }
}
