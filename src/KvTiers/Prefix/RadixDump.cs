namespace KvTiers.Prefix;

/// <summary>A bounded picture of the radix tree, for people to look at.</summary>
/// <param name="Nodes">Depth first, a parent before its children, siblings in the order of their tokens.</param>
/// <param name="IsComplete">Whether every node is in it.</param>
public sealed record RadixDump(IReadOnlyList<RadixDumpNode> Nodes, bool IsComplete);
