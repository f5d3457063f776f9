namespace KvTiers.Prefix;

internal sealed partial class RadixTree
{
    /// <summary>Hashes of whole blocks that an edit has not cut off, those of nodes near the roots first.</summary>
    public void CopyHashes(List<BlockHash> hashes, int most)
    {
        Queue<RadixNode> waiting = new(_roots.Values);
        while (hashes.Count < most && waiting.TryDequeue(out RadixNode? node))
        {
            if (node.Superseded) continue;
            if (!node.Run.IsPartial)
            {
                ReadOnlySpan<int> slots = node.Run.Slots;
                foreach (int slot in slots[..Math.Min(slots.Length, most - hashes.Count)]) hashes.Add(_hashes[slot]);
            }

            foreach (RadixNode child in node.Children ?? []) waiting.Enqueue(child);
        }
    }
}
