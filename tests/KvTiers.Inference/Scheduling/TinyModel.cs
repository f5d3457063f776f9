using System.Collections.Concurrent;
using KvTiers.Inference.Model;
using KvTiers.Inference.Tokens;
using KvTiers.MakeModel;

namespace KvTiers.Inference.Tests.Scheduling;

/// <summary>A random model of a few hundred kilobytes, written and loaded once for a class of tests. A model serves one engine at a time.</summary>
public sealed class TinyModel : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ConcurrentDictionary<int, Lazy<LanguageModel>> _models = new();

    public TinyModel()
    {
        RandomModel.Write(ModelShape.Find("tiny"), _folder.Path);
        Tokenizer = Tokenizer.Load(_folder.Path);
    }

    public Tokenizer Tokenizer { get; }

    public LanguageModel WithThreads(int threads) => _models
        .GetOrAdd(threads, count => new Lazy<LanguageModel>(() => LanguageModel.Load(_folder.Path, new ModelOptions { Threads = count }))).Value;

    public void Dispose()
    {
        foreach (Lazy<LanguageModel> model in _models.Values.Where(model => model.IsValueCreated))
            model.Value.Dispose();
        _folder.Dispose();
    }
}
