using System.Text.Json;
using KvTiers.Conversations;
using KvTiers.Inference.Model;
using KvTiers.Inference.Model.Gguf;
using KvTiers.Inference.Tokens.Templates;
using KvTiers.Inference.Tools;

namespace KvTiers.Inference.Tokens;

/// <summary>
/// A model's chat template: a Jinja template, run by a small interpreter of the part of Jinja that chat templates use, with the settings of Hugging
/// Face. Immutable and thread-safe.
/// </summary>
/// <remarks>
/// The template sees <c>messages</c> (each with <c>role</c> and <c>content</c>, and where given <c>name</c>, <c>reasoning_content</c>, <c>tool_calls</c> and
/// <c>tool_call_id</c>), <c>tools</c> as OpenAI's lists have them, <c>add_generation_prompt</c>, the named tokens of <c>tokenizer_config.json</c>
/// (<c>bos_token</c>, <c>eos_token</c>, …), and <c>documents</c>, which are none. A template that knows no functions is not given any: they are
/// described before the system prompt, calls are the assistant's text, and results are the user's.
/// </remarks>
public sealed class ChatTemplate
{
    private static readonly string[] NamedTokens = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

    private readonly IReadOnlyList<Statement> _body;
    private readonly IReadOnlyList<Statement> _bodyWithTools;
    private Dictionary<string, object?> _variables = new(StringComparer.Ordinal) { ["tools"] = null, ["documents"] = null };
    private TemplateSize _variablesSize;
    private readonly TimeProvider _time;
    private readonly TemplateLimits _limits;

    private ChatTemplate(string source, string? sourceWithTools, IEnumerable<KeyValuePair<string, string>> tokens, TimeProvider? time, TemplateLimits? limits)
    {
        _limits = limits ?? new TemplateLimits();
        _body = TemplateParser.Parse(source);
        _bodyWithTools = sourceWithTools is null ? _body : TemplateParser.Parse(sourceWithTools);
        ToolFormat = ToolFormats.Of(sourceWithTools ?? source);
        _time = time ?? TimeProvider.System;
        foreach ((string name, string text) in tokens)
            _variables[name] = TemplateText.Plain(text);
        _variablesSize = TemplateSize.Of(_variables.Values);
    }

    /// <summary>How the template writes calls of functions, and so how the model does.</summary>
    public ToolFormat ToolFormat { get; }

    /// <summary>
    /// Reads the template of a Hugging Face folder, <c>chat_template.jinja</c> or <c>chat_template</c> of <c>tokenizer_config.json</c>; or
    /// <c>tokenizer.chat_template</c> of a GGUF file.
    /// </summary>
    /// <param name="folder">The model's folder, or the file.</param>
    /// <param name="time">The clock of <c>strftime_now</c>; the system's when <c>null</c>.</param>
    /// <param name="limits">What a rendering may take; <c>null</c> = the defaults.</param>
    /// <exception cref="TemplateException">The folder has no template, or it is not understood.</exception>
    /// <exception cref="TokenizerFormatException"><c>tokenizer_config.json</c> is damaged.</exception>
    public static ChatTemplate Load(string folder, TimeProvider? time = null, TemplateLimits? limits = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        if (GgufFile.IsNamedSo(folder))
            return LoadGguf(folder, time, limits);
        JsonFile? config = JsonFile.ReadIfExists(Path.Combine(folder, "tokenizer_config.json"));
        var tokens = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string name in config is null ? [] : NamedTokens)
        {
            if (SpecialTokenText.Read(config!, name) is { } text)
                tokens[name] = text;
        }

        string source = ReadSource(folder, config, "default")
            ?? throw new TemplateException(0, $"{folder} has none: neither chat_template.jinja nor chat_template in tokenizer_config.json");
        return new ChatTemplate(source, ReadSource(folder, config, "tool_use"), tokens, time, limits);
    }

    private static ChatTemplate LoadGguf(string path, TimeProvider? time, TemplateLimits? limits)
    {
        try
        {
            using GgufFile file = new(path);
            string source = file.Find("tokenizer.chat_template")?.Text() ?? throw new TemplateException(0, $"{path} has none: no tokenizer.chat_template");
            (string Name, string? Text)[] tokens =
            [
                ("bos_token", GgufTokenizerReader.NamedToken(file, "bos")),
                ("eos_token", GgufTokenizerReader.NamedToken(file, "eos")),
                ("unk_token", GgufTokenizerReader.NamedToken(file, "unknown")),
                ("sep_token", GgufTokenizerReader.NamedToken(file, "seperator")), // So spelt in the format.
                ("pad_token", GgufTokenizerReader.NamedToken(file, "padding")),
            ];
            return new ChatTemplate(
                source,
                file.Find("tokenizer.chat_template.tool_use")?.Text(),
                tokens.Where(token => token.Text is not null).Select(token => KeyValuePair.Create(token.Name, token.Text!)),
                time,
                limits);
        }
        catch (ModelFormatException exception)
        {
            throw new TemplateException(0, exception.Message, exception);
        }
    }

    /// <summary>A template from its text.</summary>
    /// <param name="source">The Jinja text.</param>
    /// <param name="tokens">Named tokens, such as <c>bos_token</c>; <c>null</c>: none.</param>
    /// <param name="time">The clock of <c>strftime_now</c>; the system's when <c>null</c>.</param>
    /// <param name="limits">What a rendering may take; <c>null</c> = the defaults.</param>
    /// <exception cref="TemplateException">The template is not understood.</exception>
    public static ChatTemplate Parse(string source, IReadOnlyDictionary<string, string>? tokens = null, TimeProvider? time = null, TemplateLimits? limits = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        return new ChatTemplate(source, null, tokens ?? new Dictionary<string, string>(), time, limits);
    }

    /// <summary>The same template with more variables, such as <c>enable_thinking</c>.</summary>
    /// <param name="variables">Their names and values. Text in them can never become a special token.</param>
    /// <exception cref="ArgumentException">A name is that of a variable which is set already, or by each chat; the parameter name is the variable's.</exception>
    public ChatTemplate With(IReadOnlyDictionary<string, JsonElement> variables)
    {
        ArgumentNullException.ThrowIfNull(variables);
        var all = new Dictionary<string, object?>(_variables, StringComparer.Ordinal);
        foreach ((string name, JsonElement value) in variables)
        {
            if (name is "messages" or "add_generation_prompt" || NamedTokens.Contains(name) || !all.TryAdd(name, TemplateVariables.Of(value)))
                throw new ArgumentException($"The template's variable '{name}' cannot be set.", name);
        }

        var template = (ChatTemplate)MemberwiseClone();
        template._variables = all;
        template._variablesSize = TemplateSize.Of(all.Values);
        return template;
    }

    /// <summary>Writes a chat as one text.</summary>
    /// <param name="messages">The chat, oldest first; at least one message.</param>
    /// <param name="addGenerationPrompt">True: ends with what makes the model answer.</param>
    /// <param name="tools">The functions that the model may call; null or empty = none.</param>
    /// <exception cref="ArgumentException">There is no message, or a role is not of letters, digits, <c>_</c> and <c>-</c>.</exception>
    /// <exception cref="TemplateException">The template refused the messages (<see cref="TemplateException.IsRefusal"/>), does what is not supported, or went out of bounds.</exception>
    public RenderedPrompt Render(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt, IReadOnlyList<ToolDefinition>? tools = null)
    {
        Check(messages);
        var budget = new TemplateBudget(_limits);
        RenderedPrompt chat = Run(messages, addGenerationPrompt: false, tools ?? [], budget);
        if (!addGenerationPrompt)
            return chat;
        RenderedPrompt prompt = Run(messages, addGenerationPrompt: true, tools ?? [], budget);
        return prompt.Text.StartsWith(chat.Text, StringComparison.Ordinal) ? prompt with { MessageEnds = chat.MessageEnds } : prompt;
    }

    // Of named templates, the one of that name; a single template has the name default.
    private static string? ReadSource(string folder, JsonFile? config, string name)
    {
        bool isDefault = name == "default";
        string path = Path.Combine(folder, "chat_template.jinja");
        if (File.Exists(path))
            return isDefault ? File.ReadAllText(path) : null;
        if (config is null || JsonFile.Member(config.Root, "chat_template") is not { } template)
            return null;
        if (template.ValueKind == JsonValueKind.String)
            return isDefault ? config.Text(template, "chat_template") : null;
        if (template.ValueKind != JsonValueKind.Array)
            throw config.Fail("chat_template", "a string, or an array of named templates");
        foreach (JsonElement entry in template.EnumerateArray())
        {
            if (config.OptionalString(entry, "chat_template[]", "name") == name)
                return config.String(entry, "chat_template[]", "template");
        }

        if (!isDefault)
            return null;
        throw config.Fail("chat_template", "an array with a template named default");
    }

    private static void Check(IReadOnlyList<ChatMessage> messages)
    {
        ArgumentNullException.ThrowIfNull(messages);
        if (messages.Count == 0)
            throw new ArgumentException("A chat needs at least one message.", nameof(messages));
        for (int i = 0; i < messages.Count; i++)
        {
            if (messages[i] is not { Role: not null, Content: not null })
                throw new ArgumentException($"Message {i} must have a role and a content.", nameof(messages));
            // A role is written as the template's own text, which can be part of a special token.
            if (messages[i].Role.Length is 0 or > 64 || !messages[i].Role.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-'))
                throw new ArgumentException($"Message {i}: the role must be 1 to 64 letters, digits, '_' or '-'.", nameof(messages));
        }
    }

    private RenderedPrompt Run(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt, IReadOnlyList<ToolDefinition> tools, TemplateBudget budget)
    {
        if (ToolFormat != ToolFormat.Json || tools.Count == 0)
            return Run(TemplateMessages.Of(messages, ToolFormat), messages.Count, addGenerationPrompt, tools, budget);
        try
        {
            return Run(TemplateMessages.WithInstructions(messages, tools, inSystem: true), messages.Count, addGenerationPrompt, [], budget);
        }
        catch (TemplateException e) when (e.IsRefusal && messages[0].Role != "system")
        {
            // A template that takes no system prompt.
            return Run(TemplateMessages.WithInstructions(messages, tools, inSystem: false), messages.Count, addGenerationPrompt, [], budget);
        }
    }

    private RenderedPrompt Run(List<object?> maps, int messageCount, bool addGenerationPrompt, IReadOnlyList<ToolDefinition> tools, TemplateBudget budget)
    {
        var variables = new Dictionary<string, object?>(_variables, StringComparer.Ordinal)
        {
            ["messages"] = maps,
            ["add_generation_prompt"] = addGenerationPrompt,
        };
        if (tools.Count > 0)
            variables["tools"] = TemplateMessages.Of(tools);
        budget.Admit(_variablesSize + TemplateSize.Of([maps, variables["tools"]]));
        var evaluator = new TemplateEvaluator(variables, messageCount, _time.GetLocalNow(), budget);
        TemplateText text = evaluator.Run(tools.Count > 0 ? _bodyWithTools : _body);
        int end = addGenerationPrompt ? evaluator.MessageEnds[^1] ?? text.Length : text.Length;
        var content = new Range[text.Content.Length];
        for (int i = 0; i < content.Length; i++)
            content[i] = text.Content[i].Start..text.Content[i].End;
        return new RenderedPrompt(text.Value, content, Ends(evaluator, end));
    }

    // A message ends where the next one that wrote something begins, so that what a template writes between two belongs to the first. What it
    // writes outside its loop over the messages, such as a system message, belongs to the message before the loop's first.
    private static int[] Ends(TemplateEvaluator evaluator, int end)
    {
        int[] ends = new int[evaluator.MessageStarts.Count];
        int next = end;
        for (int i = ends.Length - 1; i >= 0; i--)
        {
            ends[i] = next;
            next = Math.Min(next, evaluator.MessageStarts[i] ?? next);
        }

        return ends;
    }
}
