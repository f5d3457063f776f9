using System.Text.Json;
using KvTiers.Conversations;
using KvTiers.Inference.Tools;

namespace KvTiers.Inference.Tokens;

/// <summary>Chat template and tokenizer together: messages to ids.</summary>
/// <remarks>
/// Each message's text is encoded by itself. So the ids of a chat are a prefix of the ids of the chat with more messages, whenever the template
/// writes the shorter chat's text as a prefix of the longer one's. Thread-safe.
/// </remarks>
/// <param name="template">Writes the chat as text.</param>
/// <param name="tokenizer">Reads the text.</param>
public sealed class ChatPrompt(ChatTemplate template, Tokenizer tokenizer)
{
    private static readonly ChatMessage Question = new("user", "x");
    private static readonly ChatMessage Answer = new("assistant", "y");

    private readonly Lazy<int[]> _generationPrompt = new(() =>
    {
        ChatTokens probe = Encode(template, tokenizer, [Question], addGenerationPrompt: true, 0, null);
        return probe.Ids[probe.MessageEnds[^1]..];
    });

    private readonly Lazy<int[]> _answerClosing = new(() =>
    {
        RenderedPrompt probe = template.Render([Question, Answer], addGenerationPrompt: false);
        if (probe.ContentRanges.Count < 2)
            return [];
        return tokenizer.Encode(new RenderedPrompt(probe.Text[probe.ContentRanges[^1].End.Value..], []));
    });

    // The opening mark of a call, where it is one token that has no text.
    private readonly Lazy<int?> _openingId = new(() =>
        ToolFormats.OpeningOf(template.ToolFormat) is { } opening && tokenizer.Encode(opening, addSpecial: false) is [int id] && tokenizer.IsSpecial(id) ? id : null);

    /// <summary>Reads both from a Hugging Face folder.</summary>
    /// <exception cref="TokenizerFormatException">A tokenizer file is missing, damaged or not supported.</exception>
    /// <exception cref="TemplateException">The folder has no chat template, or it is not understood.</exception>
    public static ChatPrompt Load(string folder, TimeProvider? time = null) => new(ChatTemplate.Load(folder, time), Tokenizer.Load(folder));

    /// <summary>Writes the chat as text.</summary>
    public ChatTemplate Template { get; } = template;

    /// <summary>Reads the text.</summary>
    public Tokenizer Tokenizer { get; } = tokenizer;

    /// <summary>The same with more variables in the template.</summary>
    /// <exception cref="ArgumentException">A variable cannot be set; the parameter name is the variable's.</exception>
    public ChatPrompt With(IReadOnlyDictionary<string, JsonElement> variables) => new(Template.With(variables), Tokenizer);

    /// <summary>The ids that follow the last message and make the model answer.</summary>
    /// <exception cref="TemplateException">The template cannot write a chat of one question.</exception>
    public IReadOnlyList<int> GenerationPromptIds => _generationPrompt.Value;

    /// <summary>What the template writes after an assistant's content. A generated answer is closed with these; a sampled end token may be the first of them.</summary>
    /// <exception cref="TemplateException">The template cannot write a chat of a question and an answer.</exception>
    public IReadOnlyList<int> AnswerClosingIds => _answerClosing.Value;

    /// <summary>The ids of a chat, and where each message ends in them.</summary>
    /// <param name="messages">The chat, oldest first; at least one message.</param>
    /// <param name="addGenerationPrompt">True: ends with what makes the model answer.</param>
    /// <param name="tools">The functions that the model may call; null or empty = none.</param>
    /// <exception cref="ArgumentException">There is no message, or a role is not a plain word.</exception>
    /// <exception cref="TemplateException">The template refused the messages, or cannot be run.</exception>
    public ChatTokens Encode(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt, IReadOnlyList<ToolDefinition>? tools = null) =>
        Encode(Template, Tokenizer, messages, addGenerationPrompt, 0, tools);

    /// <summary>As <see cref="Encode(IReadOnlyList{ChatMessage}, bool, IReadOnlyList{ToolDefinition})"/>, but only the ids after the first <paramref name="known"/> messages, whose ends are 0.</summary>
    /// <param name="messages">The chat, oldest first; at least one message.</param>
    /// <param name="addGenerationPrompt">True: ends with what makes the model answer.</param>
    /// <param name="known">Leading messages whose ids the caller has.</param>
    /// <param name="tools">The functions that the model may call; null or empty = none.</param>
    /// <exception cref="ArgumentException">There is no message, or a role is not a plain word.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There are fewer messages than are known.</exception>
    /// <exception cref="TemplateException">The template refused the messages, or cannot be run.</exception>
    public ChatTokens Encode(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt, int known, IReadOnlyList<ToolDefinition>? tools = null)
    {
        ArgumentNullException.ThrowIfNull(messages);
        ArgumentOutOfRangeException.ThrowIfNegative(known);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(known, messages.Count);
        return Encode(Template, Tokenizer, messages, addGenerationPrompt, known, tools);
    }

    /// <summary>The ids of a chat whose last message is open: they end with its content, so that the model goes on with it.</summary>
    /// <param name="messages">The chat, oldest first; at least one message.</param>
    /// <param name="tools">The functions that the model may call; null or empty = none.</param>
    /// <exception cref="ArgumentException">There is no message, a role is not a plain word, or the last message's content is not the last that the template writes.</exception>
    /// <exception cref="TemplateException">The template refused the messages, or cannot be run.</exception>
    public int[] EncodeOpen(IReadOnlyList<ChatMessage> messages, IReadOnlyList<ToolDefinition>? tools = null)
    {
        RenderedPrompt prompt = Template.Render(messages, addGenerationPrompt: false, tools);
        int begin = prompt.MessageEnds.Count < 2 ? 0 : prompt.MessageEnds[^2];
        if (prompt.ContentRanges is not [.., var last] || last.Start.Value < begin)
            throw new ArgumentException("The last message has no content that could be gone on with.", nameof(messages));
        return Tokenizer.Encode(new RenderedPrompt(prompt.Text[..last.End.Value], prompt.ContentRanges));
    }

    /// <summary>Which messages' text tells of the functions.</summary>
    /// <param name="messages">The chat, oldest first; at least one message.</param>
    /// <param name="tools">The functions that the model may call.</param>
    /// <returns>[messages] Whether the message's part of the prompt is another one without them.</returns>
    /// <exception cref="ArgumentException">There is no message, or a role is not a plain word.</exception>
    /// <exception cref="TemplateException">The template refused the messages, or cannot be run.</exception>
    public bool[] ShowsTools(IReadOnlyList<ChatMessage> messages, IReadOnlyList<ToolDefinition> tools)
    {
        RenderedPrompt shown = Template.Render(messages, addGenerationPrompt: false, tools);
        RenderedPrompt without = Template.Render(messages, addGenerationPrompt: false);
        return [.. Enumerable.Range(0, messages.Count).Select(i => !PartOf(shown, i).SequenceEqual(PartOf(without, i)))];
    }

    /// <summary>Finds the calls in an answer; null when it can have none.</summary>
    /// <param name="tools">What the answer may call; null = nothing.</param>
    /// <param name="choice">Which answer to the prompt, from 0.</param>
    public ToolCallReader? ReaderFor(ToolUse? tools, int choice = 0) =>
        tools is null or { Choice: ToolChoice.None } ? null : new ToolCallReader(tools.Choice == ToolChoice.Required ? RequiredForm : Template.ToolFormat, Template.ToolFormat, _openingId.Value, tools, choice);

    /// <summary>How an answer that must call is written: as <see cref="ToolGrammar"/> has it.</summary>
    public ToolFormat RequiredForm => ToolGrammar.FormOf(Template.ToolFormat, _openingId.Value is not null);

    private static ReadOnlySpan<char> PartOf(RenderedPrompt prompt, int message)
    {
        int start = message == 0 ? 0 : prompt.MessageEnds[message - 1];
        return prompt.Text.AsSpan(start, prompt.MessageEnds[message] - start);
    }

    private static ChatTokens Encode(ChatTemplate template, Tokenizer tokenizer, IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt, int known, IReadOnlyList<ToolDefinition>? tools)
    {
        RenderedPrompt prompt = template.Render(messages, addGenerationPrompt, tools);
        int[] ends = new int[messages.Count];
        int[] ids = tokenizer.Encode(prompt, ends, known);
        return new ChatTokens(ids, ends);
    }
}
