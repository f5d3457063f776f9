using System.Text;
using KvTiers.Conversations;

namespace KvTiers.Silo.Turns;

/// <summary>One answer's text and calls, gathered from its events.</summary>
internal sealed class GatheredAnswer
{
    private readonly StringBuilder _text = new();
    private readonly List<(string Id, string Name, StringBuilder Arguments)> _calls = [];

    /// <summary>The text.</summary>
    public string Text => _text.ToString();

    /// <summary>The calls, in order.</summary>
    public IReadOnlyList<ToolCall> Calls => [.. _calls.Select(call => new ToolCall(call.Id, call.Name, call.Arguments.ToString()))];

    /// <summary>Takes the events of all answers into one gathered answer each.</summary>
    /// <param name="answers">[choices] The answers.</param>
    /// <param name="answered">An event of any of them.</param>
    public static void Add(IReadOnlyList<GatheredAnswer> answers, AnswerEvent answered)
    {
        switch (answered)
        {
            case AnswerToken token:
                answers[token.Choice]._text.Append(token.Text);
                break;
            case AnswerText text:
                answers[text.Choice]._text.Append(text.Text);
                break;
            case AnswerToolCall call:
                answers[call.Choice]._calls.Add((call.Id, call.Name, new StringBuilder()));
                break;
            case AnswerToolArguments arguments:
                answers[arguments.Choice]._calls[arguments.Index].Arguments.Append(arguments.Text);
                break;
        }
    }
}
