using System.Runtime.CompilerServices;
using KvTiers.Conversations;
using KvTiers.Inference.Constraints;
using KvTiers.Inference.Constraints.Automata;
using KvTiers.Inference.Tokens;
using KvTiers.Inference.Tools;
using KvTiers.Silo.Http;
using KvTiers.Silo.Models;

namespace KvTiers.Silo.Turns;

/// <summary>Finds the calls in an answer: whichever way it came, and whichever API it goes to.</summary>
internal static class ToolAnswer
{
    /// <summary>What an answer to these functions is to be called with, so that the conversation that stores it and the caller know the calls by the same ids.</summary>
    public static ToolUse WithIds(ToolUse tools) => tools with { CallIdSeed = Guid.NewGuid().ToString("n") };

    /// <summary>What an answer that must call may say; null = it need not.</summary>
    /// <exception cref="ApiException">400: the schema of a strict function is not supported, or all together are too large.</exception>
    public static Constraint? ConstraintFor(ToolUse? tools, LoadedModel model)
    {
        if (tools is not { Choice: ToolChoice.Required }) return null;
        try
        {
            return ToolConstraint.Of(tools, model.Chat.RequiredForm, model.Engine.Constraints);
        }
        catch (ConstraintException e)
        {
            throw ApiException.BadRequest(e.Message, "tools", null, e);
        }
    }

    /// <summary>The answer's events with its calls: each token's text without them, followed by what became certain of calls. All tokens come, those without text too.</summary>
    /// <param name="answer">What is generated.</param>
    /// <param name="prompt">The model's chat template and tokenizer.</param>
    /// <param name="tools">The functions, as the answer's generation was given them; null = none, and the events are as they were.</param>
    /// <param name="choices">How many answers run side by side.</param>
    public static IAsyncEnumerable<AnswerEvent> Read(IAsyncEnumerable<AnswerEvent> answer, ChatPrompt prompt, ToolUse? tools, int choices) =>
        prompt.ReaderFor(tools) is null ? answer : ReadAsync(answer, [.. Enumerable.Range(0, choices).Select(choice => prompt.ReaderFor(tools, choice)!)]);

    private static async IAsyncEnumerable<AnswerEvent> ReadAsync(
        IAsyncEnumerable<AnswerEvent> answer, ToolCallReader[] readers, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (AnswerEvent one in answer.WithCancellation(cancellationToken))
        {
            switch (one)
            {
                case AnswerToken token:
                    foreach (AnswerEvent part in Events(token, readers[token.Choice])) yield return part;
                    break;
                case AnswerEnd end:
                    for (int choice = 0; choice < readers.Length; choice++)
                        foreach (AnswerPart part in readers[choice].Complete()) yield return Event(choice, part, readers[choice]);

                    yield return end with { FinishReasons = [.. end.FinishReasons.Select((reason, choice) => reason == "stop" && readers[choice].CallCount > 0 ? "tool_calls" : reason)] };
                    break;
                default:
                    yield return one;
                    break;
            }
        }
    }

    private static IEnumerable<AnswerEvent> Events(AnswerToken token, ToolCallReader reader)
    {
        IReadOnlyList<AnswerPart> parts = reader.Append(token.TokenId, token.Text);
        bool beginsWithText = parts is [{ Kind: AnswerPartKind.Text }, ..];
        yield return token with { Text = beginsWithText ? parts[0].Text : "" };
        foreach (AnswerPart part in parts.Skip(beginsWithText ? 1 : 0)) yield return Event(token.Choice, part, reader);
    }

    private static AnswerEvent Event(int choice, AnswerPart part, ToolCallReader reader) => part.Kind switch
    {
        AnswerPartKind.Call => new AnswerToolCall(choice, part.Call, reader.IdOf(part.Call), part.Text),
        AnswerPartKind.Arguments => new AnswerToolArguments(choice, part.Call, part.Text),
        _ => new AnswerText(choice, part.Text),
    };
}
