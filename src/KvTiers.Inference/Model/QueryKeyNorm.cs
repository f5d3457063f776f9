namespace KvTiers.Inference.Model;

/// <summary>What is normalised of queries and keys, before rotary positions.</summary>
public enum QueryKeyNorm
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Each head, all with the same weights [headDim].</summary>
    Head,

    /// <summary>Each head, with weights [headDim] of its own.</summary>
    EachHead,

    /// <summary>All heads of a token together, with weights [heads · headDim].</summary>
    Whole,
}
