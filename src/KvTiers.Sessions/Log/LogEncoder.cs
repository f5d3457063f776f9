using System.Collections.Immutable;
using KvTiers.Conversations;
using KvTiers.Inference.Scheduling;
using KvTiers.Inference.Tokens;

namespace KvTiers.Sessions.Log;

/// <summary>Turns messages into logs. What is logged already keeps its tokens: an answer those that were generated, which an encoder need not find again.</summary>
internal sealed class LogEncoder(ChatPrompt prompt)
{
    private readonly HashSet<int> _endOfText = [.. prompt.Tokenizer.EndOfText];

    /// <summary>A log of <paramref name="messages"/>, in which those that <paramref name="known"/> has at the same place are its own, whatever functions they tell of.</summary>
    /// <exception cref="TemplateException">The model's chat template refuses the messages.</exception>
    public TokenLog Encode(IReadOnlyList<ChatMessage> messages, TokenLog known) => Encode(LogDraft.After(known, messages));

    /// <summary>The log that <paramref name="draft"/> describes, whatever functions its known messages tell of.</summary>
    /// <exception cref="TemplateException">The model's chat template refuses the messages.</exception>
    public TokenLog Encode(LogDraft draft) => Encode(draft, null, shown: null);

    /// <summary>As the other, for an answer that may call <paramref name="tools"/>: a message that tells of other functions is encoded anew.</summary>
    /// <exception cref="TemplateException">The model's chat template refuses the messages.</exception>
    public TokenLog Encode(LogDraft draft, IReadOnlyList<ToolDefinition>? tools)
    {
        string?[] shown = new string?[draft.Messages.Count];
        if (tools is not { Count: > 0 })
            return Encode(draft, tools, shown);
        bool[] shows = prompt.ShowsTools(draft.Messages, tools);
        string fingerprint = ToolsFingerprint.Of(tools);
        for (int i = 0; i < shown.Length; i++)
            shown[i] = shows[i] ? fingerprint : null;
        return Encode(draft, tools, shown);
    }

    private TokenLog Encode(LogDraft draft, IReadOnlyList<ToolDefinition>? tools, string?[]? shown)
    {
        IReadOnlyList<ChatMessage> messages = draft.Messages;
        LoggedMessage? Known(int index) => index < draft.Known.Count && draft.Known[index] is { } known && known.Says(messages[index]) ? known.WithPin(messages[index].Pinned) : null;

        // An answer's tokens are the model's own, whatever a template makes of it.
        LoggedMessage? Kept(int index) => Known(index) is { } known
            && (known.Role == "assistant" || (index < draft.Verbatim && (shown is null || known.ToolsShown == shown[index]))) ? known : null;
        int leading = 0;
        while (leading < messages.Count && Kept(leading) is not null)
            leading++;
        ChatTokens? tokens = leading == messages.Count ? null : prompt.Encode(messages, addGenerationPrompt: false, leading, tools);
        ImmutableArray<LoggedMessage>.Builder logged = ImmutableArray.CreateBuilder<LoggedMessage>(messages.Count);
        for (int i = 0; i < messages.Count; i++)
            logged.Add(Kept(i) ?? Encoded(i));
        return new(logged.MoveToImmutable(), draft.Cut);

        LoggedMessage Encoded(int index)
        {
            int start = index == 0 ? 0 : tokens!.MessageEnds[index - 1];
            ReadOnlySpan<int> span = tokens!.Ids.AsSpan(start, tokens.MessageEnds[index] - start);
            LoggedMessage? known = Known(index);
            return known is not null && known.ToolsShown == shown?[index] && span.SequenceEqual(known.Tokens.AsSpan())
                ? known
                : LoggedMessage.Of(messages[index], [.. span]) with { ToolsShown = shown?[index], Pinned = known?.Pinned ?? messages[index].Pinned == true };
        }
    }

    /// <summary>What the model continues: the log and the beginning of an answer.</summary>
    public int[] PromptFor(TokenLog log)
    {
        int[] tokens = new int[log.TokenCount + prompt.GenerationPromptIds.Count];
        log.CopyTo(tokens);
        for (int i = log.TokenCount; i < tokens.Length; i++)
            tokens[i] = prompt.GenerationPromptIds[i - log.TokenCount];
        return tokens;
    }

    /// <summary>A generated answer as a message: its tokens as they came, between the template's own before and after.</summary>
    /// <param name="answer">What was generated.</param>
    /// <param name="calls">What was read of it, when it may call functions; null = its text is all.</param>
    public LoggedMessage ToMessage(ChoiceResult answer, ToolCallReader? calls)
    {
        List<int> body = [.. answer.TokenIds];
        if (body.Count > 0 && (answer.StopTokenId is not null || _endOfText.Contains(body[^1])))
            body.RemoveAt(body.Count - 1);
        if (answer.StopString is not null || answer.StopTokenId is not null)
            CutTo(answer.Text, body);
        return new("assistant", calls?.Content ?? answer.Text, [.. prompt.GenerationPromptIds, .. body, .. prompt.AnswerClosingIds])
        {
            ToolCalls = calls is null ? [] : [.. calls.Calls],
        };
    }

    // A stop string is not part of the answer (or its end, whose rest is left out), so it must not be part of the next prompt either. The token it begins in is encoded anew.
    private void CutTo(string text, List<int> body)
    {
        string decoded = prompt.Tokenizer.Decode(body.ToArray());
        while (!text.StartsWith(decoded, StringComparison.Ordinal))
        {
            body.RemoveAt(body.Count - 1);
            decoded = prompt.Tokenizer.Decode(body.ToArray());
        }

        body.AddRange(prompt.Tokenizer.Encode(text[decoded.Length..], parseSpecial: false, addSpecial: false));
    }
}
