namespace KvTiers.Inference.Tools;

/// <summary>What a part of an answer is.</summary>
public enum AnswerPartKind
{
    /// <summary>Text for the reader.</summary>
    Text,

    /// <summary>A call begins; the part's text is the function's name.</summary>
    Call,

    /// <summary>More of the arguments of the call begun last.</summary>
    Arguments,
}
