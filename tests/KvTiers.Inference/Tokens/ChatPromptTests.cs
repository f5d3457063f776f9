using KvTiers.Conversations;
using KvTiers.Inference.Tokens;

namespace KvTiers.Inference.Tests.Tokens;

public sealed class ChatPromptTests(ITestOutputHelper output)
{
    private static readonly Tokenizer Llama3 = Tokenizer.Load(GoldenTokenizers.Folder("llama3"));
    private static readonly Tokenizer Qwen2 = Tokenizer.Load(GoldenTokenizers.Folder("qwen2"));

    private static readonly ChatMessage[] Chat =
    [
        new("system", "Be brief."), new("user", "My name is Tamara."), new("assistant", "Hello, Tamara!"), new("user", "What is my name?"),
    ];

    public static TheoryData<string> Templates =>
        ["chatml", "llama3", "llama3.1", "qwen2.5", "smollm2", "mistral", "gemma", "phi3", "zephyr", "thinking"];

    private static ChatTemplate Template(string name) => ChatTemplate.Parse(
        File.ReadAllText(GoldenTokenizers.RepositoryPath("tests", "Golden", "chat_templates", $"{name}.jinja")),
        new Dictionary<string, string> { ["bos_token"] = "<|begin_of_text|>", ["eos_token"] = "<|eot_id|>" },
        new FixedTime(new DateTimeOffset(2026, 3, 7, 0, 0, 0, TimeSpan.Zero)));

    private static string[] MessageTexts(ChatPrompt prompt, ChatTokens tokens) =>
        [.. tokens.MessageEnds.Select((end, k) => prompt.Tokenizer.Decode(tokens.Ids.AsSpan()[(k == 0 ? 0 : tokens.MessageEnds[k - 1])..end], skipSpecial: false))];

    [Fact]
    public void EveryMessageEndsAfterItsClosing()
    {
        var prompt = new ChatPrompt(Template("chatml"), Qwen2);
        ChatTokens tokens = prompt.Encode(Chat, addGenerationPrompt: true);

        Assert.Equal(
            ["<|im_start|>system\nBe brief.<|im_end|>\n", "<|im_start|>user\nMy name is Tamara.<|im_end|>\n", "<|im_start|>assistant\nHello, Tamara!<|im_end|>\n", "<|im_start|>user\nWhat is my name?<|im_end|>\n"],
            MessageTexts(prompt, tokens));
        Assert.Equal("<|im_start|>assistant\n", Qwen2.Decode(tokens.Ids.AsSpan()[tokens.MessageEnds[^1]..], skipSpecial: false));
    }

    [Fact]
    public void AMessageWrittenBeforeTheLoopEndsWhereTheLoopBegins()
    {
        var prompt = new ChatPrompt(Template("llama3.1"), Llama3);
        string[] texts = MessageTexts(prompt, prompt.Encode(Chat, addGenerationPrompt: true));

        Assert.EndsWith("Be brief.<|eot_id|>", texts[0]);
        Assert.Equal("<|start_header_id|>user<|end_header_id|>\n\nMy name is Tamara.<|eot_id|>", texts[1]);
        Assert.Equal(texts[0], MessageTexts(prompt, prompt.Encode(Chat[..1], addGenerationPrompt: true))[0]);
    }

    [Fact]
    public void ADefaultSystemMessageBelongsToTheFirstMessage()
    {
        var prompt = new ChatPrompt(Template("qwen2.5"), Qwen2);
        string[] texts = MessageTexts(prompt, prompt.Encode(Chat[1..2], addGenerationPrompt: false));
        Assert.Equal("<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\nMy name is Tamara.<|im_end|>\n", Assert.Single(texts));
    }

    [Theory]
    [MemberData(nameof(Templates))]
    public void WhatFollowsKnownMessagesHasTheIdsOfTheWholeChat(string template)
    {
        var prompt = new ChatPrompt(Template(template), Llama3);
        ChatMessage[] chat = [new("user", " Hi <|eot_id|>"), new("assistant", "Hello\n"), new("user", "Who\u00A0am I?"), new("assistant", ""), .. Chat[3..]];
        ChatTokens whole = prompt.Encode(chat, addGenerationPrompt: true);
        for (int known = 0; known <= chat.Length; known++)
        {
            ChatTokens rest = prompt.Encode(chat, addGenerationPrompt: true, known);
            int start = known == 0 ? 0 : whole.MessageEnds[known - 1];
            Assert.Equal(whole.Ids[start..], rest.Ids);
            Assert.Equal(whole.MessageEnds.Select(end => Math.Max(0, end - start)), rest.MessageEnds);
        }
    }

    [Fact]
    public void MoreKnownMessagesThanThereAreAreRefused()
    {
        var prompt = new ChatPrompt(Template("chatml"), Qwen2);
        Assert.Throws<ArgumentOutOfRangeException>(() => prompt.Encode(Chat, addGenerationPrompt: false, Chat.Length + 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => prompt.Encode(Chat, addGenerationPrompt: false, -1));
    }

    [Fact]
    public void TheGenerationPromptAndTheClosingAreTheTemplates()
    {
        var prompt = new ChatPrompt(Template("chatml"), Qwen2);
        Assert.Equal("<|im_start|>assistant\n", Qwen2.Decode([.. prompt.GenerationPromptIds], skipSpecial: false));
        Assert.Equal("<|im_end|>\n", Qwen2.Decode([.. prompt.AnswerClosingIds], skipSpecial: false));
        Assert.Empty(new ChatPrompt(Template("mistral"), Llama3).GenerationPromptIds);
        Assert.Equal("<|eot_id|>", Llama3.Decode([.. new ChatPrompt(Template("mistral"), Llama3).AnswerClosingIds], skipSpecial: false));
    }

    [Fact]
    public void PromptAnswerAndClosingAreThePrefixOfTheNextTurn()
    {
        var prompt = new ChatPrompt(Template("chatml"), Qwen2);
        int[] turn = [.. prompt.Encode(Chat[..2], addGenerationPrompt: true).Ids, .. Qwen2.Encode(Chat[2].Content), .. prompt.AnswerClosingIds];
        ChatTokens next = prompt.Encode(Chat, addGenerationPrompt: true);
        Assert.Equal(turn, next.Ids[..next.MessageEnds[2]]);
        Assert.Equal(prompt.GenerationPromptIds, next.Ids[next.MessageEnds[^1]..]);
    }

    [Theory]
    [MemberData(nameof(Templates))]
    public void TheIdsOfAChatAreThePrefixOfALongerChatsWheneverItsTextIs(string name)
    {
        ChatTemplate template = Template(name);
        int stable = 0;
        int broken = 0;
        foreach (Tokenizer tokenizer in (Tokenizer[])[Llama3, Qwen2])
        {
            var prompt = new ChatPrompt(template, tokenizer);
            for (ulong seed = 1; seed <= 20; seed++)
            {
                ChatMessage[] chat = RandomChat(new FixtureRandom(seed), system: name != "gemma" && seed % 2 == 0);
                for (int k = 1; k < chat.Length; k++)
                {
                    bool prefix = template.Render(chat[..(k + 1)], false).Text.StartsWith(template.Render(chat[..k], false).Text, StringComparison.Ordinal);
                    if (!prefix)
                    {
                        broken++;
                        continue;
                    }

                    ChatTokens shorter = prompt.Encode(chat[..k], addGenerationPrompt: false);
                    ChatTokens longer = prompt.Encode(chat[..(k + 1)], addGenerationPrompt: false);
                    Assert.Equal(shorter.Ids, longer.Ids[..shorter.Ids.Length]);
                    // A system message that waits for the first question to be written has no end of its own.
                    if (shorter.Ids.Length > 1)
                        Assert.Equal(shorter.MessageEnds[^1], longer.MessageEnds[k - 1]);
                    stable++;
                }
            }
        }

        output.WriteLine($"{name}: {stable} steps kept the prefix, {broken} could not");
        Assert.True(name == "phi3" ? stable == 0 : stable > 0);
    }

    [Theory]
    [MemberData(nameof(Templates))]
    public void ContentNeverAddsASpecialToken(string name)
    {
        ChatTemplate template = Template(name);
        foreach (Tokenizer tokenizer in (Tokenizer[])[Llama3, Qwen2])
        {
            string[] specials = [.. Enumerable.Range(0, tokenizer.VocabularySize).Where(tokenizer.IsSpecial).Select(id => tokenizer.TokenText(id)!)];
            var prompt = new ChatPrompt(template, tokenizer);
            ChatMessage[] chat = name == "gemma" ? Chat[1..] : Chat;
            int[] expected = Specials(chat);
            foreach (string special in specials)
            {
                foreach (string content in (string[])[special, $" {special} ", special[..^1], special[1..], $"a{special}b{special}", $"{special[..4]}{special}{special[4..]}", $"<{special}>"])
                    Assert.Equal(expected, Specials([.. chat.Select(message => message with { Content = content })]));
            }

            int[] Specials(ChatMessage[] messages) => [.. prompt.Encode(messages, addGenerationPrompt: true).Ids.Where(tokenizer.IsSpecial)];
        }
    }

    [Fact]
    public void SpecialTemplatesEncodeAsTheirWholeTextDoes()
    {
        // Where messages are bounded by special tokens, to encode them one by one changes nothing.
        foreach (string name in (string[])["chatml", "smollm2", "qwen2.5"])
        {
            ChatTemplate template = Template(name);
            for (ulong seed = 1; seed <= 20; seed++)
            {
                ChatMessage[] chat = RandomChat(new FixtureRandom(seed), system: true);
                Assert.Equal(Qwen2.Encode(template.Render(chat, true).Text), new ChatPrompt(template, Qwen2).Encode(chat, true).Ids);
            }
        }
    }

    private static ChatMessage[] RandomChat(FixtureRandom random, bool system)
    {
        string[] words = ["hello", " world", "\n", "\n\n", "  ", "🙂", "é", "don't", "123", "<", "|>", "字", "\t", "."];
        var chat = new List<ChatMessage>();
        if (system)
            chat.Add(new ChatMessage("system", Content()));
        for (int i = 0; i < 5; i++)
            chat.Add(new ChatMessage(i % 2 == 0 ? "user" : "assistant", Content()));
        return [.. chat];

        string Content() => string.Concat(Enumerable.Range(0, random.Next(6)).Select(_ => words[random.Next(words.Length)]));
    }
}
