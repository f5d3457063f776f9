using KvTiers.Inference.Tokens;
using KvTiers.Prefix;

namespace KvTiers.Silo.Operations;

/// <summary>The radix tree, for people to look at.</summary>
/// <param name="Nodes">Depth first, a parent before its children.</param>
/// <param name="IsComplete">Whether every node is in it.</param>
internal sealed record RadixView(IReadOnlyList<RadixNodeView> Nodes, bool IsComplete)
{
    /// <summary>A dump with the tokens' text.</summary>
    public static RadixView Of(RadixDump dump, Tokenizer tokenizer) => new([.. dump.Nodes.Select(node => RadixNodeView.Of(node, tokenizer))], dump.IsComplete);
}
