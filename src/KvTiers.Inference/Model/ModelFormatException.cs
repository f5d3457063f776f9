namespace KvTiers.Inference.Model;

/// <summary>A model folder that cannot be used: what is wrong, in which file, and which rule it breaks.</summary>
public sealed class ModelFormatException : Exception
{
    /// <summary>Describes a fault of <paramref name="path"/>.</summary>
    /// <param name="path">The file at fault.</param>
    /// <param name="subject">The property or tensor at fault, or <see langword="null"/> for the file as a whole.</param>
    /// <param name="rule">The rule that is broken.</param>
    /// <param name="inner">What was thrown below, if anything.</param>
    public ModelFormatException(string path, string? subject, string rule, Exception? inner = null)
        : base(subject is null ? $"{path}: {rule}" : $"{path}: {subject}: {rule}", inner)
    {
        Path = path;
        Subject = subject;
        Rule = rule;
    }

    /// <summary>The file at fault.</summary>
    public string Path { get; }

    /// <summary>The property or tensor at fault, or <see langword="null"/> for the file as a whole.</summary>
    public string? Subject { get; }

    /// <summary>The rule that is broken.</summary>
    public string Rule { get; }
}
