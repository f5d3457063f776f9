using KvTiers.Inference.Constraints.Automata;

namespace KvTiers.Inference.Constraints.Schemas;

/// <summary>What JSON is written with.</summary>
internal static class JsonText
{
    /// <summary>Behind ',' and ':': one space or none, so that no answer is white space without end.</summary>
    public static readonly Expression Space = Expression.Optional(Expression.Literal(" "));
}
