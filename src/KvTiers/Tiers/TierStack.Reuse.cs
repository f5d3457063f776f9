using KvTiers.Prefix;

namespace KvTiers.Tiers;

public sealed partial class TierStack
{
    /// <inheritdoc/>
    bool IBlockObserver.SeesReuse => _seesReuse;

    /// <inheritdoc/>
    bool IBlockObserver.OnReused(BlockHash hash, in BlockAttributes attributes, ReadOnlySpan<byte> bytes)
    {
        bool taken = true;
        for (int i = 0; i < _tiers.Length; i++)
        {
            if (_tiers[i].WritePolicy == WritePolicy.OnSecondUse)
            {
                taken &= Write(i, hash, bytes, attributes, mayWait: false);
            }
        }

        return taken;
    }
}
