using static System.FormattableString;

namespace KvTiers.Cli.Size;

/// <summary>The memory that a number of tokens takes in a shape, and what the usual savings would make of it.</summary>
internal sealed record SizeReport(KvShape Shape, long Tokens, IReadOnlyList<SizeVariant> Variants)
{
    private const int UsualGroupedHeads = 8;
    private const int UsualWindow = 4096;

    public decimal Bytes => Shape.BytesFor(Tokens);

    /// <summary>Compares <paramref name="shape"/> with its variants for this many tokens; <paramref name="queryHeads"/> are those of one layer.</summary>
    public static SizeReport Create(KvShape shape, int queryHeads, long tokens)
    {
        var variants = new List<SizeVariant>();
        void Add(string name, KvShape variant)
        {
            decimal bytes = variant.BytesFor(tokens);
            variants.Add(new SizeVariant(name, variant, bytes, shape.BytesFor(tokens) / bytes));
        }

        Add("as asked", shape);
        if (shape.KvHeads < queryHeads)
            Add(Invariant($"MHA, {queryHeads} KV heads"), shape with { KvHeads = queryHeads });
        if (shape.KvHeads > UsualGroupedHeads)
            Add(Invariant($"GQA, {UsualGroupedHeads} KV heads"), shape with { KvHeads = UsualGroupedHeads });
        if (shape.KvHeads > 1)
            Add("MQA, 1 KV head", shape with { KvHeads = 1 });
        if (shape.Window is null)
            Add(Invariant($"sliding window of {UsualWindow:N0} tokens"), shape with { Window = UsualWindow });
        else
            Add("no sliding window", shape with { Window = null });
        foreach (ElementType element in (ReadOnlySpan<ElementType>)[ElementType.Fp8, ElementType.Int8, ElementType.Int4])
        {
            if (element.Bits < shape.Element.Bits)
                Add(element.Name, shape with { Element = element });
        }

        return new SizeReport(shape, tokens, variants);
    }
}
