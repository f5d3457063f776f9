using KvTiers.MakeModel;

namespace KvTiers.Silo.Tests;

/// <summary>Models that tests serve.</summary>
internal static class TestModels
{
    private static readonly Lazy<string> TinyFolder = new(() => Write("tiny", ModelShape.Find("tiny")));

    private static readonly Lazy<string> SlowFolder = new(() => Write(
        "slow", ModelShape.Find("tiny") with { Layers = 16, Hidden = 256, HeadDim = 64, Intermediate = 1024 }));

    /// <summary>A model of random weights with a context of 4,096 tokens; written once per process.</summary>
    public static string Tiny => TinyFolder.Value;

    /// <summary>The same with so many more weights that 4,000 tokens take many seconds: for what happens while a turn runs.</summary>
    public static string Slow => SlowFolder.Value;

    private static string Write(string name, ModelShape shape)
    {
        string folder = Path.Combine(Directory.CreateTempSubdirectory("kvtiers-model-").FullName, name);
        RandomModel.Write(shape, folder, new RandomModelOptions { Seed = 7 });
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(Path.GetDirectoryName(folder)!, recursive: true);
        return folder;
    }
}
