using System.Text;

namespace KvTiers.Inference.Tokens;

/// <summary>
/// Turns the tokens of one generation into text as they come. A character whose bytes are spread over tokens appears with its last byte, so
/// the pieces joined, and what <see cref="Flush"/> gives, equal <see cref="Tokenizer.Decode"/> of all tokens.
/// </summary>
/// <remarks>Used by one owner at a time. Special tokens have no text.</remarks>
public sealed class TokenStream
{
    private readonly Tokenizer _tokenizer;
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    private char[] _characters = new char[64];
    private bool _isInsideCharacter;

    internal TokenStream(Tokenizer tokenizer) => _tokenizer = tokenizer;

    /// <summary>Takes a token, and gives the text that is complete now; empty while a character is not.</summary>
    /// <param name="id">A token id; an id without token has no text.</param>
    public string Append(int id)
    {
        if (_tokenizer.IsSpecial(id))
            return "";
        if (!_isInsideCharacter && _tokenizer.WholeText(id) is { } whole)
            return whole;
        string text = Take(_tokenizer.TokenBytes(id), flush: false);
        _isInsideCharacter = _decoder.GetCharCount([], flush: true) > 0;
        return text;
    }

    /// <summary>Ends the text: what was left incomplete comes as U+FFFD. The stream is then as new.</summary>
    public string Flush()
    {
        _isInsideCharacter = false;
        return Take([], flush: true);
    }

    private string Take(ReadOnlySpan<byte> bytes, bool flush)
    {
        int room = Encoding.UTF8.GetMaxCharCount(bytes.Length);
        if (_characters.Length < room)
            _characters = new char[room];
        int length = _decoder.GetChars(bytes, _characters, flush);
        return length == 0 ? "" : new string(_characters, 0, length);
    }
}
