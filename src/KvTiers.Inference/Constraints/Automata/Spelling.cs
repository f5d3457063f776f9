namespace KvTiers.Inference.Constraints.Automata;

/// <summary>How characters stand in the answer's bytes.</summary>
internal enum Spelling
{
    /// <summary>As UTF-8.</summary>
    Plain,

    /// <summary>Inside a JSON string, escaped where JSON demands it and in one way only.</summary>
    JsonShortest,

    /// <summary>Inside a JSON string, with every escape that JSON allows.</summary>
    JsonAny,
}
