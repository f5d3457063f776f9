using KvTiers.MakeModel;

namespace KvTiers.Silo.Tests;

/// <summary>Models that tests serve.</summary>
internal static class TestModels
{
    private static readonly Lazy<string> TinyFolder = new(() => Write("tiny", ModelShape.Find("tiny")));

    /// <summary>More tokens than <see cref="Slow"/> generates while any test runs: minutes' worth of them.</summary>
    public const int Endless = 100_000;

    // Few keys and values, so that a small hot tier holds an endless answer.
    private static readonly Lazy<string> SlowFolder = new(() => Write(
        "slow", ModelShape.Find("tiny") with { Layers = 4, KvHeads = 1, Hidden = 256, Intermediate = 5120, ContextLength = Endless + 4096 }));

    /// <summary>A model of random weights with a context of 4,096 tokens; written once per process.</summary>
    public static string Tiny => TinyFolder.Value;

    /// <summary>The same with so many more weights that a token takes about a millisecond, and a context of as many as are <see cref="Endless"/>: for what happens while a turn runs.</summary>
    public static string Slow => SlowFolder.Value;

    private static string Write(string name, ModelShape shape)
    {
        string folder = Path.Combine(Directory.CreateTempSubdirectory("kvtiers-model-").FullName, name);
        RandomModel.Write(shape, folder, new RandomModelOptions { Seed = 7 });
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(Path.GetDirectoryName(folder)!, recursive: true);
        return folder;
    }
}
