using KvTiers.Conversations;

namespace KvTiers.Inference.Tokens;

/// <summary>Small chats that a template is asked to write at a start, so that no request is the first to learn what it cannot do.</summary>
public static class TemplateProbes
{
    private static readonly ChatMessage System = new("system", "Be brief.");
    private static readonly ChatMessage Question = new("user", "What is 6 × 7?");
    private static readonly ChatMessage Answer = new("assistant", "42.");
    private static readonly ToolDefinition[] Tools =
        [new() { Name = "add", Description = "Adds two numbers.", Parameters = """{"type": "object", "properties": {"a": {"type": "number", "description": "One."}, "b": {"type": "number"}}, "required": ["a"]}""" }];

    // Of 41 messages and 42,000 characters: what grows faster than its chat shows in it.
    private static readonly ChatMessage[] LongChat = [.. Enumerable.Range(0, 41).Select(i => new ChatMessage(i % 2 == 0 ? "user" : "assistant", string.Concat(Enumerable.Repeat("A word or two. ", 68))))];

    private static readonly (string Name, ChatMessage[] Messages)[] Chats =
    [
        ("a question", [Question]),
        ("a system prompt and a question", [System, Question]),
        ("a question, its answer and a question", [Question, Answer, Question]),
        ("a system prompt, a question, its answer and a question", [System, Question, Answer, Question]),
        ("a chat of 41 messages", LongChat),
    ];

    private static readonly (string Name, ChatMessage[] Messages)[] ChatsWithTools =
    [
        ("a question with a function", [Question]),
        (
            "a call of a function and its result",
            [Question, Answer with { Content = "", ToolCalls = [new ToolCall("abcdefgh1", "add", """{"a": 6, "b": 7}""")] }, new("tool", "13") { ToolCallId = "abcdefgh1" }]
        ),
    ];

    /// <summary>Has a template write all of them.</summary>
    /// <returns>Those that it cannot write. Those that it refuses (<c>raise_exception</c>) are not among them.</returns>
    /// <exception cref="TemplateException">It writes none of the chats without functions, or would take more for one than its limits allow.</exception>
    public static IReadOnlyList<TemplateFault> Check(ChatTemplate template)
    {
        ArgumentNullException.ThrowIfNull(template);
        (string Name, TemplateException? Error)[] plain = [.. Chats.Select(chat => (chat.Name, Try(template, chat.Messages, null)))];
        if (plain.All(chat => chat.Error is not null))
            throw Fatal(plain[0].Name, plain[0].Error!);
        var faults = new List<TemplateFault>();
        foreach ((string name, TemplateException? error) in plain.Concat(ChatsWithTools.Select(chat => (chat.Name, Try(template, chat.Messages, Tools)))))
        {
            if (error is { IsOverBudget: true })
                throw Fatal(name, error);
            if (error is { IsRefusal: false })
                faults.Add(new TemplateFault(name, error));
        }

        return faults;
    }

    private static TemplateException Fatal(string chat, TemplateException error) =>
        new(error.Line, $"cannot write {chat}: {error.Reason}", error) { IsRefusal = error.IsRefusal, IsOverBudget = error.IsOverBudget };

    private static TemplateException? Try(ChatTemplate template, ChatMessage[] messages, ToolDefinition[]? tools)
    {
        try
        {
            template.Render(messages, addGenerationPrompt: true, tools);
            return null;
        }
        catch (TemplateException e)
        {
            return e;
        }
    }
}
