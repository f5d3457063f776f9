namespace KvTiers.MakeModel;

/// <summary>The dimensions of a model. The named ones are those of the public models of that name.</summary>
public sealed record ModelShape
{
    /// <summary>Name on the command line.</summary>
    public required string Name { get; init; }

    /// <summary>Family.</summary>
    public required ModelFamily Family { get; init; }

    /// <summary>Transformer layers.</summary>
    public required int Layers { get; init; }

    /// <summary>Query heads.</summary>
    public required int Heads { get; init; }

    /// <summary>Heads of keys and values.</summary>
    public required int KvHeads { get; init; }

    /// <summary>Elements of a head.</summary>
    public required int HeadDim { get; init; }

    /// <summary>Elements of the residual stream.</summary>
    public required int Hidden { get; init; }

    /// <summary>Elements of the feed-forward layer's inner vector.</summary>
    public required int Intermediate { get; init; }

    /// <summary>Token ids; at least 259.</summary>
    public required int Vocabulary { get; init; }

    /// <summary>Positions.</summary>
    public required int ContextLength { get; init; }

    /// <summary>Base of the rotary frequencies.</summary>
    public double RopeTheta { get; init; } = 10_000;

    /// <summary>Stretches the rotary frequencies as Llama 3.2 does, from a context of 8,192.</summary>
    public bool Llama3RopeScaling { get; init; }

    /// <summary>The output matrix is the token embedding.</summary>
    public bool TiedEmbeddings { get; init; } = true;

    /// <summary>Every named shape.</summary>
    public static IReadOnlyList<ModelShape> All { get; } =
    [
        new ModelShape
        {
            Name = "gpt2", Family = ModelFamily.Gpt2, Layers = 12, Heads = 12, KvHeads = 12, HeadDim = 64,
            Hidden = 768, Intermediate = 3072, Vocabulary = 50257, ContextLength = 1024,
        },
        new ModelShape
        {
            Name = "smollm2-135m", Family = ModelFamily.Llama, Layers = 30, Heads = 9, KvHeads = 3, HeadDim = 64,
            Hidden = 576, Intermediate = 1536, Vocabulary = 49152, ContextLength = 8192, RopeTheta = 100_000,
        },
        new ModelShape
        {
            Name = "smollm2-1.7b", Family = ModelFamily.Llama, Layers = 24, Heads = 32, KvHeads = 32, HeadDim = 64,
            Hidden = 2048, Intermediate = 8192, Vocabulary = 49152, ContextLength = 8192, RopeTheta = 130_000,
        },
        new ModelShape
        {
            Name = "llama-3.2-1b", Family = ModelFamily.Llama, Layers = 16, Heads = 32, KvHeads = 8, HeadDim = 64,
            Hidden = 2048, Intermediate = 8192, Vocabulary = 128256, ContextLength = 131072, RopeTheta = 500_000, Llama3RopeScaling = true,
        },
        new ModelShape
        {
            Name = "tiny", Family = ModelFamily.Llama, Layers = 3, Heads = 4, KvHeads = 2, HeadDim = 16,
            Hidden = 64, Intermediate = 160, Vocabulary = 640, ContextLength = 4096,
        },
        new ModelShape
        {
            Name = "tiny-gpt2", Family = ModelFamily.Gpt2, Layers = 2, Heads = 4, KvHeads = 4, HeadDim = 16,
            Hidden = 64, Intermediate = 256, Vocabulary = 640, ContextLength = 1024,
        },
    ];

    /// <summary>The shape of that name.</summary>
    /// <exception cref="ArgumentException">There is none; the message lists all.</exception>
    public static ModelShape Find(string name) =>
        All.FirstOrDefault(shape => shape.Name == name)
        ?? throw new ArgumentException($"'{name}' is no shape; there are {string.Join(", ", All.Select(shape => shape.Name))}.", nameof(name));
}
