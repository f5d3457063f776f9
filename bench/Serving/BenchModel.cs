using KvTiers.Blocks;
using KvTiers.Inference.Model;
using KvTiers.Inference.Scheduling;
using KvTiers.Inference.Tokens;
using KvTiers.MakeModel;

namespace KvTiers.Bench.Serving;

/// <summary>A random-weight model of a public shape, loaded, with a cache and an engine over it.</summary>
internal sealed class BenchModel : IAsyncDisposable
{
    private readonly LanguageModel _model;
    private readonly KvCache _cache;

    private BenchModel(LanguageModel model, KvCache cache, Engine engine)
    {
        _model = model;
        _cache = cache;
        Engine = engine;
    }

    public Engine Engine { get; }

    /// <summary>Makes the model in <paramref name="folder"/> unless it is there, and loads it.</summary>
    public static BenchModel Load(string shape, DirectoryInfo folder, long hotBytes = 2L << 30)
    {
        string path = Make(shape, folder);
        LanguageModel model = LanguageModel.Load(path, new ModelOptions());
        var cache = new KvCache(model.Config.CreateLayout(KvFormat.BF16), new KvCacheOptions { HotBytes = hotBytes });
        return new BenchModel(model, cache, new Engine(model, Tokenizer.Load(path), cache, new EngineOptions()));
    }

    /// <summary>Makes the model in <paramref name="folder"/> unless it is there.</summary>
    /// <returns>The model's own folder.</returns>
    public static string Make(string shape, DirectoryInfo folder)
    {
        string path = Path.Combine(folder.FullName, shape);
        if (!File.Exists(Path.Combine(path, "config.json")))
            RandomModel.Write(ModelShape.Find(shape), path);

        return path;
    }

    public int[] RandomPrompt(int length, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, length).Select(_ => random.Next(1000, _model.Config.Vocabulary))];
    }

    public async ValueTask DisposeAsync()
    {
        await Engine.DisposeAsync();
        _cache.Dispose();
        _model.Dispose();
    }
}
