namespace KvTiers.Inference.Tokens;

/// <summary>A tokenizer file is missing, damaged, or asks for something that is not supported.</summary>
/// <param name="path">The file or folder.</param>
/// <param name="reason">What is wrong with it, and what would be right.</param>
/// <param name="inner">What the reader ran into, if anything.</param>
public sealed class TokenizerFormatException(string path, string reason, Exception? inner = null)
    : Exception($"{path}: {reason}", inner)
{
    /// <summary>The file or folder.</summary>
    public string Path { get; } = path;

    /// <summary>What is wrong with it.</summary>
    public string Reason { get; } = reason;
}
