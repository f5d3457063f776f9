namespace KvTiers.Inference.Tokens;

/// <summary>Text of one generation.</summary>
public sealed class TokenStream
{
    /// <summary>Append.</summary>
    public string Append(int id) => throw new NotImplementedException();

    /// <summary>Flush.</summary>
    public string Flush() => throw new NotImplementedException();
}
