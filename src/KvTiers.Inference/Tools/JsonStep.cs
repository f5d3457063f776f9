namespace KvTiers.Inference.Tools;

/// <summary>What one character did to a JSON value that is read character by character.</summary>
[Flags]
internal enum JsonStep
{
    /// <summary>Nothing to note.</summary>
    None = 0,

    /// <summary>It cannot stand there.</summary>
    Invalid = 1,

    /// <summary>It opens a member's name.</summary>
    KeyStart = 2,

    /// <summary>It closes a member's name.</summary>
    KeyEnd = 4,

    /// <summary>A value begins with it.</summary>
    ValueStart = 8,

    /// <summary>A value ends with it.</summary>
    ValueEnd = 16,

    /// <summary>A number ended before it.</summary>
    NumberEnd = 32,
}
