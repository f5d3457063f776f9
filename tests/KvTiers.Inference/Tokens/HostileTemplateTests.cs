using System.Diagnostics;
using KvTiers.Conversations;
using KvTiers.Inference.Tokens;

namespace KvTiers.Inference.Tests.Tokens;

/// <summary>A template is as untrusted as the model that it came with: whatever it does, a rendering ends soon, in little memory, with an error that says why.</summary>
public sealed class HostileTemplateTests(ITestOutputHelper output)
{
    private const long MostBytes = 32 << 20;

    // Of a thread whose whole stack is as small as the smallest that .NET gives one.
    private const int StackBytes = 1536 << 10;

    private static readonly ChatMessage[] Hello = [new("user", "hello")];

    public static TheoryData<string> Names => [.. HostileTemplates.All.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void EndsWithAnErrorInLittleMemory(string name)
    {
        (TemplateException? e, long bytes) = OnSmallStack(() => Render(HostileTemplates.All[name]));
        output.WriteLine($"{bytes / 1024.0 / 1024:0.0} MiB, {e?.Message}");

        Assert.NotNull(e);
        Assert.InRange(e.Message.Length, 1, 600);
        Assert.InRange(bytes, 0, MostBytes);
    }

    [Fact]
    public void WhatATemplateMayTakeIsASetting()
    {
        const string Source = "{% for a in range(5000) %}{% set b = a + 1 %}{% endfor %}";
        Assert.Equal("", ChatTemplate.Parse(Source).Render(Hello, addGenerationPrompt: false).Text);

        TemplateException steps = Assert.Throws<TemplateException>(() => ChatTemplate.Parse(Source, limits: new() { Steps = 10_000 }).Render(Hello, addGenerationPrompt: false));
        TemplateException bytes = Assert.Throws<TemplateException>(() => ChatTemplate.Parse(Source, limits: new() { Bytes = 100_000 }).Render(Hello, addGenerationPrompt: false));

        Assert.True(steps.IsOverBudget);
        Assert.Contains("steps", steps.Reason);
        Assert.True(bytes.IsOverBudget);
        Assert.Contains("bytes", bytes.Reason);
    }

    [Theory]
    [InlineData(999, 1 << 20)]
    [InlineData(1_000_000_001, 1 << 20)]
    [InlineData(1000, (64 << 10) - 1)]
    [InlineData(1000, (16L << 30) + 1)]
    public void LimitsHaveBounds(long steps, long bytes) => Assert.Throws<ArgumentOutOfRangeException>(() => new TemplateLimits { Steps = steps, Bytes = bytes });

    [Fact]
    public void WhatAChatBringsAddsToWhatItsTemplateMayTake()
    {
        // As much for each message as a large template takes.
        const string Source = "{% for m in messages %}{% for i in range(60) %}{% if i == 59 %}{{ m.content | trim | replace('a', 'b') }}{% endif %}{% endfor %}{% endfor %}";
        var template = ChatTemplate.Parse(Source, limits: new() { Steps = 1000, Bytes = 64 << 10 });
        ChatMessage[] chat = [.. Enumerable.Range(0, 5000).Select(i => new ChatMessage("user", new string('a', 100)))];

        Assert.Equal(500_000, template.Render(chat, addGenerationPrompt: false).Text.Length);
    }

    // As some templates do: for each message, all that follow.
    [Fact]
    public void ATemplateMayLookAheadFromEachMessage()
    {
        const string Source = "{% for m in messages %}{% set ns = namespace(last=true) %}{% for next in messages[loop.index:] %}{% if next.role == 'user' and not next.tool_calls %}{% set ns.last = false %}{% endif %}{% endfor %}{{ m.content if ns.last }}{% endfor %}";
        ChatMessage[] chat = [.. Enumerable.Range(0, 500).Select(i => new ChatMessage(i % 2 == 0 ? "user" : "assistant", new string('a', 300)))];

        Assert.Equal(600, ChatTemplate.Parse(Source).Render(chat, addGenerationPrompt: true).Text.Length);
    }

    [Fact]
    public void TemplatesAtRandomEndOrSayWhyNot()
    {
        int ended = 0, failed = 0;
        for (int seed = 0; seed < 4000; seed++)
        {
            string source = new RandomTemplate(seed).Write();
            try
            {
                ChatTemplate.Parse(source).Render([new("system", "x 7\r\ny"), .. Hello], addGenerationPrompt: true);
                ended++;
            }
            catch (TemplateException)
            {
                failed++;
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed}: {e}\n{source}");
            }
        }

        output.WriteLine($"{ended} ended, {failed} said why not");
        Assert.InRange(ended, 300, 4000);
        Assert.InRange(failed, 300, 4000);
    }

    // What ends here with an error was counted, so it does so on every machine; how long that takes (the best of ten) is printed, not held.
    [Fact(Explicit = true)]
    public void Times()
    {
        foreach ((string name, string source) in HostileTemplates.All)
        {
            double milliseconds = double.MaxValue;
            (TemplateException? e, long bytes) = (null, 0);
            for (int i = 0; i < 10; i++)
            {
                long started = Stopwatch.GetTimestamp();
                (e, bytes) = Render(source);
                milliseconds = Math.Min(milliseconds, Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            }

            output.WriteLine($"{milliseconds,7:0.0} ms {bytes / 1024.0 / 1024,6:0.0} MiB  {name}: {e?.Message[..Math.Min(e.Message.Length, 90)]}");
        }
    }

    private static (TemplateException? Error, long Bytes) Render(string source)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        TemplateException? error = null;
        try
        {
            ChatTemplate.Parse(source).Render(Hello, addGenerationPrompt: true);
        }
        catch (TemplateException e)
        {
            error = e;
        }

        return (error, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static T OnSmallStack<T>(Func<T> run)
    {
        T? result = default;
        Exception? failure = null;
        var thread = new Thread(
            () =>
            {
                try
                {
                    result = run();
                }
                catch (Exception e)
                {
                    failure = e;
                }
            },
            StackBytes);
        thread.Start();
        thread.Join();
        return failure is null ? result! : throw new InvalidOperationException("The rendering failed.", failure);
    }
}
