namespace KvTiers.Inference.Tokens;

/// <summary>An entry of <c>added_tokens</c>: matched as a whole in the text, before any merging.</summary>
/// <param name="Id">Token id.</param>
/// <param name="Content">The text it stands for.</param>
/// <param name="Special">A control token: user text never becomes one, and decoding can leave it out.</param>
/// <param name="SingleWord">Only where no word character touches it.</param>
/// <param name="LeftStrip">Takes the white space before it.</param>
/// <param name="RightStrip">Takes the white space after it.</param>
/// <param name="Normalized">Matched after normalization, not before.</param>
internal sealed record AddedToken(int Id, string Content, bool Special, bool SingleWord, bool LeftStrip, bool RightStrip, bool Normalized);
