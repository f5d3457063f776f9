namespace KvTiers.Inference.Scheduling;

/// <summary>The last bytes of one choice's output, in which a bad word may have begun.</summary>
internal sealed class BadWordTail(BadWords words)
{
    private readonly byte[] _bytes = new byte[words.TailLength];
    private int _count;

    /// <summary>Takes the next token of the output.</summary>
    public void Append(int id)
    {
        if (words.Tokenizer.IsSpecial(id))
            return;
        ReadOnlySpan<byte> added = words.Tokenizer.TokenBytes(id);
        if (added.Length > _bytes.Length)
            added = added[^_bytes.Length..];
        int kept = Math.Min(_count, _bytes.Length - added.Length);
        _bytes.AsSpan(_count - kept, kept).CopyTo(_bytes);
        added.CopyTo(_bytes.AsSpan(kept));
        _count = kept + added.Length;
    }

    /// <summary>Adds the tokens that would complete a word now.</summary>
    public void Collect(List<int> bans) => words.Collect(_bytes.AsSpan(0, _count), bans);
}
