namespace KvTiers.Inference.Tokens;

/// <summary>A chat template is missing, is not understood, went out of bounds, or refused the messages.</summary>
/// <param name="line">Line of the template, from 1; 0 when it is not about a line.</param>
/// <param name="reason">What is wrong; of a longer one the first 500 characters are kept.</param>
/// <param name="inner">The cause, if any.</param>
public sealed class TemplateException(int line, string reason, Exception? inner = null)
    : Exception(line > 0 ? $"chat template, line {line}: {Shorten(reason)}" : $"chat template: {Shorten(reason)}", inner)
{
    private const int MaxReason = 500;

    /// <summary>Line of the template, from 1; 0 when it is not about a line.</summary>
    public int Line { get; } = line;

    /// <summary>What is wrong.</summary>
    public string Reason { get; } = Shorten(reason);

    /// <summary>True when the template itself refused the messages (<c>raise_exception</c>): the caller's mistake, not the template's.</summary>
    public bool IsRefusal { get; init; }

    /// <summary>True when the template would take more than its <see cref="TemplateLimits"/> allow.</summary>
    public bool IsOverBudget { get; init; }

    // A template may put a whole message into its reason.
    private static string Shorten(string reason)
    {
        if (reason.Length <= MaxReason)
            return reason;
        int end = char.IsHighSurrogate(reason[MaxReason - 1]) ? MaxReason - 1 : MaxReason;
        return string.Concat(reason.AsSpan(0, end), "…");
    }
}
