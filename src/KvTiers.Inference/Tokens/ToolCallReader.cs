using System.Text;
using KvTiers.Conversations;
using KvTiers.Inference.Tools;

namespace KvTiers.Inference.Tokens;

/// <summary>Cuts one answer's tokens into text and calls as they come, and gathers both.</summary>
/// <remarks>Used by one owner at a time. Whoever reads the same tokens with the same <see cref="ToolUse.CallIdSeed"/> finds the same calls under the same ids.</remarks>
public sealed class ToolCallReader
{
    private readonly ToolCallParser _parser;
    private readonly ToolFormat _format;
    private readonly int? _openingId;
    private readonly string _seed;
    private readonly StringBuilder _content = new();
    private readonly List<(string Name, StringBuilder Arguments)> _calls = [];

    /// <param name="form">How the answer writes calls.</param>
    /// <param name="format">How the template does, which says what ids it takes.</param>
    /// <param name="openingId">The opening mark, where it is a token without text.</param>
    /// <param name="tools">What may be called.</param>
    /// <param name="choice">Which answer to the prompt.</param>
    internal ToolCallReader(ToolFormat form, ToolFormat format, int? openingId, ToolUse tools, int choice)
    {
        _format = format;
        _openingId = openingId;
        _parser = new ToolCallParser(form, tools.Allows, tools.ParallelCalls ? int.MaxValue : 1);
        string seed = tools.CallIdSeed ?? Guid.NewGuid().ToString("n");
        _seed = choice == 0 ? seed : $"{seed}/{choice}";
    }

    /// <summary>The text so far, without the calls.</summary>
    public string Content => _content.ToString();

    /// <summary>The calls so far, in order.</summary>
    public IReadOnlyList<ToolCall> Calls => [.. _calls.Select((call, i) => new ToolCall(IdOf(i), call.Name, call.Arguments.ToString()))];

    /// <summary>How many calls there are so far.</summary>
    public int CallCount => _calls.Count;

    /// <summary>The id of a call.</summary>
    /// <param name="call">Which one, from 0.</param>
    public string IdOf(int call) => ToolIds.Of(_format, _seed, call);

    /// <summary>Takes the next token.</summary>
    /// <param name="id">The token.</param>
    /// <param name="text">The text that became certain with it.</param>
    /// <returns>What is certain now, in order.</returns>
    public IReadOnlyList<AnswerPart> Append(int id, string text)
    {
        IReadOnlyList<AnswerPart> parts = Gather(_parser.Append(text));
        return id == _openingId ? [.. parts, .. Gather(_parser.Open())] : parts;
    }

    /// <summary>The answer is complete.</summary>
    /// <returns>What was held back.</returns>
    public IReadOnlyList<AnswerPart> Complete() => Gather(_parser.Complete());

    private IReadOnlyList<AnswerPart> Gather(IReadOnlyList<AnswerPart> parts)
    {
        foreach (AnswerPart part in parts)
        {
            if (part.Kind == AnswerPartKind.Text)
                _content.Append(part.Text);
            else if (part.Kind == AnswerPartKind.Call)
                _calls.Add((part.Text, new StringBuilder()));
            else
                _calls[part.Call].Arguments.Append(part.Text);
        }

        return parts;
    }
}
