namespace KvTiers.Prefix;

/// <summary>How much of a token sequence the hot tier holds.</summary>
/// <param name="HotTokenCount">Leading tokens held, to the first differing token.</param>
/// <param name="BlockCount">Whole blocks among them; what is left over sits inside a further block.</param>
/// <param name="LastBlock">The hash of the last whole block, or the root hash: where a colder tier would continue.</param>
public readonly record struct PrefixMatch(int HotTokenCount, int BlockCount, BlockHash LastBlock);
