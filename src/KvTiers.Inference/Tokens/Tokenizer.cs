namespace KvTiers.Inference.Tokens;

/// <summary>Byte-level BPE tokenizer of a Hugging Face folder.</summary>
public sealed class Tokenizer
{
    /// <summary>Load.</summary>
    public static Tokenizer Load(string folder) => throw new NotImplementedException(folder);

    /// <summary>One more than the highest id.</summary>
    public int VocabularySize => throw new NotImplementedException();

    /// <summary>Begin.</summary>
    public int? BeginOfText => throw new NotImplementedException();

    /// <summary>All ids that end a generation.</summary>
    public IReadOnlyList<int> EndOfText => throw new NotImplementedException();

    /// <summary>Special.</summary>
    public bool IsSpecial(int id) => throw new NotImplementedException();

    /// <summary>Text.</summary>
    public string? TokenText(int id) => throw new NotImplementedException();

    /// <summary>Bytes.</summary>
    public ReadOnlySpan<byte> TokenBytes(int id) => throw new NotImplementedException();

    /// <summary>Encode.</summary>
    public int[] Encode(string text, bool parseSpecial = true, bool addSpecial = true) => throw new NotImplementedException();

    /// <summary>Encode.</summary>
    public int[] Encode(RenderedPrompt prompt) => throw new NotImplementedException();

    /// <summary>Decode.</summary>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecial = true) => throw new NotImplementedException();

    /// <summary>Stream.</summary>
    public TokenStream CreateStream() => throw new NotImplementedException();
}
