using System.Runtime.CompilerServices;

namespace KvTiers.Inference.Constraints.Automata;

/// <summary>Tells expressions apart by identity: comparing them whole would take as long as building them.</summary>
internal sealed class BodyComparer : IEqualityComparer<(Expression Body, Spelling Spelling)>
{
    public static BodyComparer Instance { get; } = new();

    public bool Equals((Expression Body, Spelling Spelling) x, (Expression Body, Spelling Spelling) y) =>
        ReferenceEquals(x.Body, y.Body) && x.Spelling == y.Spelling;

    public int GetHashCode((Expression Body, Spelling Spelling) body) => HashCode.Combine(RuntimeHelpers.GetHashCode(body.Body), body.Spelling);
}
