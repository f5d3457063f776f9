using KvTiers.MakeModel;

namespace KvTiers.Silo.Tests;

/// <summary>Models that tests serve.</summary>
internal static class TestModels
{
    private static readonly Lazy<string> TinyFolder = new(() =>
    {
        string folder = Path.Combine(Directory.CreateTempSubdirectory("kvtiers-model-").FullName, "tiny");
        RandomModel.Write(ModelShape.Find("tiny"), folder, new RandomModelOptions { Seed = 7 });
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(Path.GetDirectoryName(folder)!, recursive: true);
        return folder;
    });

    /// <summary>A model of random weights with a context of 4,096 tokens; written once per process.</summary>
    public static string Tiny => TinyFolder.Value;
}
