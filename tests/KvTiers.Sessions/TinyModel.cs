using KvTiers.Inference.Model;
using KvTiers.Inference.Tokens;
using KvTiers.MakeModel;
using KvTiers.Sessions.Tests;

[assembly: AssemblyFixture(typeof(TinyModel))]

namespace KvTiers.Sessions.Tests;

/// <summary>A random model of a few hundred kilobytes with ChatML as its template, written once for all tests of this assembly.</summary>
public sealed class TinyModel : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public TinyModel()
    {
        RandomModel.Write(ModelShape.Find("tiny"), _folder.Path);
        Prompt = ChatPrompt.Load(_folder.Path);
    }

    public ChatPrompt Prompt { get; }

    /// <summary>A model of one's own: one engine uses a model at a time.</summary>
    public LanguageModel Load() => LanguageModel.Load(_folder.Path, new ModelOptions { Threads = 1 });

    /// <summary>A text of at least so many tokens, begun with <paramref name="start"/>.</summary>
    public string TextOf(int tokens, string start)
    {
        string text = start;
        while (Prompt.Tokenizer.Encode(text).Length < tokens)
            text += " and much more to read";
        return text;
    }

    public void Dispose() => _folder.Dispose();
}
