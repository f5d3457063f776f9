using KvTiers.Conversations;
using KvTiers.Prefix;
using KvTiers.Sessions.Log;
using KvTiers.Sessions.Turns;
using KvTiers.Tiers;

namespace KvTiers.Sessions;

/// <content>What a stored change cut from the log is the first to go. Nothing of it happens before the change is stored.</content>
public sealed partial class Conversation
{
    // The colder tiers' part of a receipt is waited for that long; then it goes on in the background.
    private static readonly TimeSpan SupersedePatience = TimeSpan.FromSeconds(2);

    // After an edit: the caller is told what each tier lost.
    private async Task<EditReceipt> SupersedeAsync(TokenLog former, TokenLog next)
    {
        int kept = former.CommonPrefix(next.Tokens.Span);
        if (kept == former.TokenCount)
            return Receipt(former, kept, default, []);
        await _services.Paths.Ready.ConfigureAwait(false);
        SupersedeResult hot = SupersedeHot(former, kept);
        IReadOnlyList<TierRemoval> colder = [];
        if (Tiers is not null)
        {
            try
            {
                colder = await SupersedeColderAsync(former, kept, CancellationToken.None).WaitAsync(SupersedePatience, _services.Time).ConfigureAwait(false);
            }
            catch (Exception)
            {
                // The change is stored, whatever a tier says.
                _services.Erasures.Background.TryAdd(Key, token => SupersedeColderAsync(former, kept, token));
            }
        }

        return Receipt(former, kept, hot, colder);
    }

    // After a turn, or when another process was found to have written: nobody waits for a tier. What there is no room for in the queue stays where it is,
    // until its tier needs the room.
    private void SupersedeSoon(TokenLog former, TokenLog next)
    {
        int kept = former.CommonPrefix(next.Tokens.Span);
        if (kept == former.TokenCount)
            return;
        bool isHotDone = _services.Paths.Ready.IsCompleted;
        if (isHotDone)
            SupersedeHot(former, kept);
        if (Tiers is null && isHotDone)
            return;
        _services.Erasures.Background.TryAdd(Key, token => SupersedeColderAsync(former, kept, token));
    }

    // Releases what the conversation holds past the first differing token, and marks it as first to go.
    private SupersedeResult SupersedeHot(TokenLog former, int kept)
    {
        ReleaseFrom(kept);
        DropPin();
        int spared = Spared(PathOf(former), kept);
        SupersedeResult result = Cache.Supersede(_root, former.Tokens.Span, spared);
        int blockSize = Cache.Shape.BlockSize;
        return result with { SharedBlocks = result.SharedBlocks + (spared / blockSize) - (kept / blockSize) };
    }

    // Asks anew what is spared: the log may have come back to the path meanwhile.
    private async Task<IReadOnlyList<TierRemoval>> SupersedeColderAsync(TokenLog former, int kept, CancellationToken cancellationToken)
    {
        await _services.Paths.Ready.ConfigureAwait(false);
        BlockPath path = PathOf(former);
        int spared = Spared(path, kept);
        if (Tiers is { } tiers)
            return (await tiers.SupersedeAsync(path, spared, _services.Paths.Contains, cancellationToken).ConfigureAwait(false)).Tiers;
        Cache.Supersede(_root, former.Tokens.Span, spared);
        return [];
    }

    private BlockPath PathOf(TokenLog log) => _services.PathOf(_root, log.Tokens.Span);

    private int Spared(BlockPath path, int kept) => Math.Max(kept, _services.Paths.LeadingBlocks(path) * path.BlockSize);

    // What the turn will release when it is stored, as far as the hot tier has it now.
    private EditReceipt? Foresee(TurnPlan plan)
    {
        if (plan.KeptTokens == plan.Former.TokenCount)
            return null;
        int blockSize = Cache.Shape.BlockSize;
        int hotTokens = Cache.Peek(_root, plan.Former.Tokens.Span).HotTokenCount;
        int blocks = Math.Max(0, ((hotTokens + blockSize - 1) / blockSize) - (plan.KeptTokens / blockSize));
        return Receipt(plan.Former, plan.KeptTokens, new(blocks, 0), []);
    }

    private EditReceipt Receipt(TokenLog former, int kept, SupersedeResult hot, IReadOnlyList<TierRemoval> colder) => new()
    {
        Version = _state?.Version.Number ?? 0,
        TokensKept = kept,
        TokensInvalidated = former.TokenCount - kept,
        BlocksReleased = hot.SupersededBlocks,
        BlocksShared = hot.SharedBlocks,
        BytesFreed = new Dictionary<string, long>(colder.Select(tier => KeyValuePair.Create(tier.Tier, tier.Bytes)))
        {
            ["hot"] = (long)hot.SupersededBlocks * Cache.Shape.BytesPerBlock,
        },
    };
}
