namespace KvTiers.Inference.Tokens;

/// <summary>What one rendering of a chat may take, whatever the template does.</summary>
/// <remarks>
/// A step is about 40 ns of work: a node of the template that runs, a value that is compared, 16 characters that are searched, 32 that are copied. Steps
/// and bytes are counted and not measured, so that a chat that renders once always renders. What a chat brings adds to both: 2,000 steps and 1 KiB
/// for each value of its messages, functions and variables, and one step and 64 bytes for each of their characters.
/// </remarks>
public sealed record TemplateLimits
{
    /// <summary>Steps that a rendering may take beside those that its chat brings; 1,000 to 1,000,000,000.</summary>
    public long Steps
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1000);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 1_000_000_000);
            field = value;
        }
    } = 250_000;

    /// <summary>Bytes of values that a rendering may make, freed ones among them, beside those that its chat brings; 64 KiB to 16 GiB.</summary>
    public long Bytes
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 64 << 10);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 16L << 30);
            field = value;
        }
    } = 16 << 20;
}
