namespace KvTiers.Inference.Tokens;

/// <summary>One step of pre-tokenization.</summary>
/// <param name="AddPrefixSpace">Put a space before a piece that has none.</param>
/// <param name="Scanner">Cuts the piece; <c>null</c> leaves it whole.</param>
internal sealed record PreTokenizerStage(bool AddPrefixSpace, PieceScanner? Scanner);
