using System.Text.Json;
using KvTiers.Conversations;

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
        ChatTokens probe = Encode(template, tokenizer, [Question], addGenerationPrompt: true, 0);
        return probe.Ids[probe.MessageEnds[^1]..];
    });

    private readonly Lazy<int[]> _answerClosing = new(() =>
    {
        RenderedPrompt probe = template.Render([Question, Answer], addGenerationPrompt: false);
        if (probe.ContentRanges.Count < 2)
            return [];
        return tokenizer.Encode(new RenderedPrompt(probe.Text[probe.ContentRanges[^1].End.Value..], []));
    });

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
    /// <exception cref="ArgumentException">There is no message, or a role is not a plain word.</exception>
    /// <exception cref="TemplateException">The template refused the messages, or cannot be run.</exception>
    public ChatTokens Encode(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt) => Encode(Template, Tokenizer, messages, addGenerationPrompt, 0);

    /// <summary>As <see cref="Encode(IReadOnlyList{ChatMessage}, bool)"/>, but only the ids after the first <paramref name="known"/> messages, whose ends are 0.</summary>
    /// <param name="messages">The chat, oldest first; at least one message.</param>
    /// <param name="addGenerationPrompt">True: ends with what makes the model answer.</param>
    /// <param name="known">Leading messages whose ids the caller has.</param>
    /// <exception cref="ArgumentException">There is no message, or a role is not a plain word.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There are fewer messages than are known.</exception>
    /// <exception cref="TemplateException">The template refused the messages, or cannot be run.</exception>
    public ChatTokens Encode(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt, int known)
    {
        ArgumentNullException.ThrowIfNull(messages);
        ArgumentOutOfRangeException.ThrowIfNegative(known);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(known, messages.Count);
        return Encode(Template, Tokenizer, messages, addGenerationPrompt, known);
    }

    /// <summary>The ids of a chat whose last message is open: they end with its content, so that the model goes on with it.</summary>
    /// <param name="messages">The chat, oldest first; at least one message.</param>
    /// <exception cref="ArgumentException">There is no message, a role is not a plain word, or the last message's content is not the last that the template writes.</exception>
    /// <exception cref="TemplateException">The template refused the messages, or cannot be run.</exception>
    public int[] EncodeOpen(IReadOnlyList<ChatMessage> messages)
    {
        RenderedPrompt prompt = Template.Render(messages, addGenerationPrompt: false);
        int begin = prompt.MessageEnds.Count < 2 ? 0 : prompt.MessageEnds[^2];
        if (prompt.ContentRanges is not [.., var last] || last.Start.Value < begin)
            throw new ArgumentException("The last message has no content that could be gone on with.", nameof(messages));
        return Tokenizer.Encode(new RenderedPrompt(prompt.Text[..last.End.Value], prompt.ContentRanges));
    }

    private static ChatTokens Encode(ChatTemplate template, Tokenizer tokenizer, IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt, int known)
    {
        RenderedPrompt prompt = template.Render(messages, addGenerationPrompt);
        int[] ends = new int[messages.Count];
        int[] ids = tokenizer.Encode(prompt, ends, known);
        return new ChatTokens(ids, ends);
    }
}
