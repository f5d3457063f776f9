using System.Text;
using KvTiers.Conversations;
using KvTiers.Inference.Tokens;

namespace KvTiers.Bench.Serving;

/// <summary>Prompts of random words: system messages of a number of tokens, and short questions. The same seed gives the same texts.</summary>
internal sealed class ServingPrompts(string modelFolder, int prefixTokens, int seed)
{
    private const int QuestionCharacters = 60;

    private readonly Tokenizer _tokenizer = Tokenizer.Load(modelFolder);
    private readonly ChatTemplate _template = ChatTemplate.Load(modelFolder);
    private readonly Random _random = new(seed);

    /// <summary>Ids of tokens that would end an answer.</summary>
    public IReadOnlyList<int> EndOfText => _tokenizer.EndOfText;

    /// <summary>A system message that no other begins like.</summary>
    public string System()
    {
        var text = new StringBuilder();
        do
            AppendWords(text, 30);
        while (_tokenizer.Encode(text.ToString()).Length < prefixTokens);
        return text.ToString();
    }

    /// <summary>A question that no other begins like.</summary>
    public string Question()
    {
        var text = new StringBuilder();
        AppendWords(text, QuestionCharacters);
        return text.ToString();
    }

    /// <summary>Tokens that two prompts have in common from the start.</summary>
    public int CommonTokens(string system, string question, string otherQuestion) =>
        Encode(system, question).AsSpan().CommonPrefixLength(Encode(system, otherQuestion));

    private int[] Encode(string system, string question) =>
        _tokenizer.Encode(_template.Render([new ChatMessage("system", system), new ChatMessage("user", question)], addGenerationPrompt: true));

    private void AppendWords(StringBuilder text, int characters)
    {
        for (int i = 0; i < characters; i++)
            text.Append(i % 6 == 5 ? ' ' : (char)('a' + _random.Next(26)));
    }
}
