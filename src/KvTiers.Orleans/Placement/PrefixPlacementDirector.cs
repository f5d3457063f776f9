using System.Text.Json;
using KvTiers.Conversations;
using KvTiers.Inference.Tokens;
using KvTiers.Orleans.Hosting;
using KvTiers.Prefix;
using KvTiers.Sessions;
using Orleans.Runtime.Placement;

namespace KvTiers.Orleans.Placement;

/// <summary>Places conversations on the calling silo's knowledge: a new one by the messages that came with the call, a returning one by its stored log.</summary>
internal sealed class PrefixPlacementDirector(SiloConversations silo, SiloView view, OrleansConversationsOptions options) : IPlacementDirector
{
    // Silos are told apart by then, and a longer chain costs hashing.
    private const int MaxBlocks = 1024;

    public async Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        SiloAddress[] silos = context.GetCompatibleSilos(target);
        if (silos.Length == 1)
            return silos[0];
        if (options.Placement == ConversationPlacement.Random)
        {
            silo.Metrics.Placed("random");
            return silos[Random.Shared.Next(silos.Length)];
        }

        BlockHash[] chain = await ChainOf(target);
        (int index, int run) = view.Choose([.. silos.Select(address => address.ToParsableString())], chain);
        silo.Metrics.Placed(run > 0 ? "run" : "load");
        return silos[index];
    }

    private async Task<BlockHash[]> ChainOf(PlacementTarget target)
    {
        if (silo.Local is not { } local)
            return [];
        ConversationServices services = local.Services;
        ConversationKey key = GrainKey.Read(target.GrainIdentity.Key.ToString()!);
        try
        {
            ReadOnlyMemory<int> tokens = PlacementOpening.From(target.RequestContextData) is { } opening
                ? services.Prompt.Encode(opening.Messages, addGenerationPrompt: false, opening.Definitions).Ids
                : (await services.Store.ReadAsync(key).ConfigureAwait(false))?.Log.Tokens ?? default;
            return Hash(services, key.Tenant, tokens.Span);
        }
        catch (Exception exception) when (exception is IOException or ConversationDamagedException or TemplateException or ArgumentException or JsonException)
        {
            // The call itself will say what is wrong; any silo can.
            return [];
        }
    }

    private static BlockHash[] Hash(ConversationServices services, string tenant, ReadOnlySpan<int> tokens)
    {
        int size = services.Engine.Cache.Shape.BlockSize;
        var path = new BlockPath(services.RootFor(tenant), size, tokens[..Math.Min(tokens.Length, MaxBlocks * size)]);
        return path.Hashes(0, path.BlockCount).ToArray();
    }
}
