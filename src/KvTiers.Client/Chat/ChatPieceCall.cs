namespace KvTiers.Client.Chat;

/// <summary>A call of a function, or what a piece of a stream adds to one.</summary>
internal sealed record ChatPieceCall
{
    /// <summary>Which call of the answer it is; the pieces of one have the same.</summary>
    public int Index { get; init; }

    public string? Id { get; init; }

    public FunctionPart? Function { get; init; }

    /// <summary>The function's name, and its arguments' JSON as far as this piece has it.</summary>
    internal sealed record FunctionPart
    {
        public string? Name { get; init; }

        public string? Arguments { get; init; }
    }
}
