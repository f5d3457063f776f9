namespace KvTiers.Silo.OpenAi;

/// <summary>A token as llama.cpp shows it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Piece">Its text; of a part of a character, its bytes.</param>
internal sealed record TokenPiece(int Id, string Piece);
