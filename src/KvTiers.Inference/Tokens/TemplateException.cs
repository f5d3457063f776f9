namespace KvTiers.Inference.Tokens;

/// <summary>A chat template is missing, is not understood, went out of bounds, or refused the messages.</summary>
/// <param name="line">Line of the template, from 1; 0 when it is not about a line.</param>
/// <param name="reason">What is wrong.</param>
/// <param name="inner">The cause, if any.</param>
public sealed class TemplateException(int line, string reason, Exception? inner = null)
    : Exception(line > 0 ? $"chat template, line {line}: {reason}" : $"chat template: {reason}", inner)
{
    /// <summary>Line of the template, from 1; 0 when it is not about a line.</summary>
    public int Line { get; } = line;

    /// <summary>What is wrong.</summary>
    public string Reason { get; } = reason;

    /// <summary>True when the template itself refused the messages (<c>raise_exception</c>): the caller's mistake, not the template's.</summary>
    public bool IsRefusal { get; init; }
}
