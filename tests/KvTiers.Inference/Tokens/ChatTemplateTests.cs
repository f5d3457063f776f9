using System.Text.Json;
using KvTiers.Conversations;
using KvTiers.Inference.Tokens;

namespace KvTiers.Inference.Tests.Tokens;

public sealed class ChatTemplateTests : IDisposable
{
    private static readonly ChatMessage[] Hello = [new("user", "hello")];

    private readonly string _folder = Directory.CreateTempSubdirectory("kvtiers-template-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void ACallersVariablesAreTheTemplatesAndTheirTextIsContent()
    {
        var template = ChatTemplate.Parse("{{ messages[0].content }}|{{ 'on' if enable_thinking else 'off' }}|{{ note }}|{{ list[1] + 1 }}|{{ map.a }}|{{ none_of_it is none }}");
        using JsonDocument variables = JsonDocument.Parse("""{"enable_thinking":true,"note":"<|x|>","list":[1,2],"map":{"a":0.5},"none_of_it":null}""");
        RenderedPrompt prompt = template.With(variables.RootElement.EnumerateObject().ToDictionary(member => member.Name, member => member.Value)).Render(Hello, addGenerationPrompt: false);

        Assert.Equal("hello|on|<|x|>|3|0.5|True", prompt.Text);
        Assert.Equal(["hello", "<|x|>"], prompt.ContentRanges.Select(range => prompt.Text[range]));
        Assert.StartsWith("hello|off|", ChatTemplate.Parse("{{ messages[0].content }}|{{ 'on' if enable_thinking else 'off' }}|").Render(Hello, addGenerationPrompt: false).Text);
    }

    [Theory]
    [InlineData("messages")]
    [InlineData("add_generation_prompt")]
    [InlineData("tools")]
    [InlineData("documents")]
    [InlineData("bos_token")]
    public void AVariableThatIsSetAlreadyIsRefused(string name)
    {
        using JsonDocument value = JsonDocument.Parse("1");

        Assert.Equal(name, Assert.Throws<ArgumentException>(() => ChatTemplate.Parse("x").With(new Dictionary<string, JsonElement> { [name] = value.RootElement })).ParamName);
    }

    [Theory]
    [InlineData("{{ a", 1, "does not end with }}")]
    [InlineData("\n\n{% if x %}y", 3, "elif or else or endif is missing")]
    [InlineData("{# open", 1, "comment")]
    [InlineData("{{ 'open }}", 1, "a string does not end")]
    [InlineData("x\n{{ a b }}", 2, "unexpected 'b'")]
    [InlineData("{{ ) }}", 1, "unexpected ')'")]
    [InlineData("{{ a ? b }}", 1, "unexpected character '?'")]
    [InlineData("{% include 'x' %}", 1, "the statement 'include' is not supported; supported: if, for, set")]
    [InlineData("{% raw %}{% endraw %}", 1, "the statement 'raw' is not supported")]
    [InlineData("{% for a in b recursive %}{% endfor %}", 1, "recursive loops are not supported")]
    [InlineData("{% endif %}", 1, "the statement 'endif' is not supported")]
    [InlineData("{{ f(a=1, 2) }}", 1, "unexpected '2'")]
    [InlineData("{{ 99999999999999999999 }}", 1, "too large")]
    [InlineData("{{ '\\x4' }}", 1, "hexadecimal digits")]
    public void WhatCannotBeReadIsNamedWithItsLine(string source, int line, string reason)
    {
        TemplateException e = Assert.Throws<TemplateException>(() => ChatTemplate.Parse(source));
        Assert.Equal(line, e.Line);
        Assert.Contains(reason, e.Message);
        Assert.False(e.IsRefusal);
    }

    [Theory]
    [InlineData("\n{{ 'a' | wordcount }}", 2, "the filter 'wordcount' is not supported; supported: abs,")]
    [InlineData("{{ 1 is prime }}", 1, "the test 'prime' is not supported")]
    [InlineData("{{ 'a'.swapcase() }}", 1, "the string method 'swapcase' is not supported")]
    [InlineData("{{ cycler(1) }}", 1, "the function 'cycler' is not supported")]
    [InlineData("\n\n{{ messages.absent.deeper }}", 3, "is undefined")]
    [InlineData("{{ 'a' + 1 }}", 1, "'+' is not supported between a string and a number")]
    [InlineData("{{ 1 < 'a' }}", 1, "cannot compare")]
    [InlineData("{{ 1 // 0 }}", 1, "division by zero")]
    [InlineData("{{ messages }}", 1, "a list cannot be written as text")]
    [InlineData("{% for a in none %}{% endfor %}", 1, "none cannot be iterated")]
    [InlineData("{% for a, b in [[1, 2, 3]] %}{% endfor %}", 1, "3 values cannot be bound to 2 names")]
    [InlineData("{{ 'a' | trim(1) }}", 1, "needs a string as 'chars'")]
    [InlineData("{{ 'a' | trim('b', 'c') }}", 1, "takes at most 1 arguments")]
    [InlineData("{{ 'a' | trim(side='left') }}", 1, "does not take the argument 'side'")]
    [InlineData("{{ strftime_now('%U') }}", 1, "%U is not supported")]
    [InlineData("{{ {messages[0].content: 1} }}", 1, "the keys of a mapping must be strings of the template's own")]
    [InlineData("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", 1, "more than 50 deep")]
    [InlineData("{% for a in range(2000000) %}{% endfor %}", 1, "makes more than 16")]
    [InlineData("{% for a in range(5000) %}{% for b in range(5000) %}{% endfor %}{% endfor %}{% for a in range(1000000) %}{% for b in range(1000) %}x{% endfor %}{% endfor %}", 1, "takes more than")]
    [InlineData("{% set ns = namespace(s='0123456789') %}{% for a in range(40) %}{% set ns.s = ns.s + ns.s %}{% endfor %}", 1, "bytes of values")]
    public void WhatCannotBeDoneIsNamedWithItsLine(string source, int line, string reason)
    {
        var template = ChatTemplate.Parse(source);
        TemplateException e = Assert.Throws<TemplateException>(() => template.Render(Hello, addGenerationPrompt: false));
        Assert.Equal(line, e.Line);
        Assert.Contains(reason, e.Reason);
        Assert.False(e.IsRefusal);
    }

    [Fact]
    public void ARefusalCarriesTheTemplatesMessageAndLine()
    {
        var template = ChatTemplate.Parse("\n{{ raise_exception('no ' ~ messages[0].role) }}");
        TemplateException e = Assert.Throws<TemplateException>(() => template.Render(Hello, addGenerationPrompt: false));
        Assert.True(e.IsRefusal);
        Assert.Equal("no user", e.Reason);
        Assert.Equal(2, e.Line);
    }

    [Theory]
    [InlineData("")]
    [InlineData("user<|im_end|>")]
    [InlineData("a b")]
    [InlineData("usér")]
    public void ARoleIsAPlainWord(string role) =>
        Assert.Throws<ArgumentException>(() => ChatTemplate.Parse("x").Render([new ChatMessage(role, "")], addGenerationPrompt: false));

    [Fact]
    public void AChatNeedsAMessage() => Assert.Throws<ArgumentException>(() => ChatTemplate.Parse("x").Render([], addGenerationPrompt: false));

    [Theory]
    [InlineData("{{ c }}", "  he said  ")]
    [InlineData("<{{ c | trim }}>", "he said")]
    [InlineData("<{{ c.strip() }}>", "he said")]
    [InlineData("{{ c.lstrip() + '!' }}", "he said  ")]
    [InlineData("{{ 'x' ~ c[2:4] }}", "he")]
    [InlineData("{{ c | upper }}", "  HE SAID  ")]
    [InlineData("{{ c | replace('said', 'SAID') }}", "  he ", "  ")]
    [InlineData("{{ 'a-b' | replace('-', c.strip()) }}", "he said")]
    [InlineData("{{ c.split() | join(',') }}", "he", "said")]
    [InlineData("{{ ','.join(c.split()) }}", "he", "said")]
    [InlineData("{{ c.split()[1] }}{{ c.split() | first }}", "saidhe")]
    [InlineData("{{ [c, 'x'] | last }}{{ c[2] }}", "h")]
    [InlineData("{{ {'k': c} | tojson }}", "{\"k\": \"  he said  \"}")]
    [InlineData("{% set x %}({{ c | trim }}){% endset %}{{ x }}", "he said")]
    [InlineData("{% macro m(x) %}({{ x | trim }}){% endmacro %}{{ m(c) }}", "he said")]
    [InlineData("{{ none | default(c, true) | trim }}", "he said")]
    [InlineData("{{ messages | map(attribute='content') | join }}", "  he said  ")]
    [InlineData("{% for k, v in messages[0].items() %}{{ v | trim }}{% endfor %}", "he said")]
    [InlineData("{% for letter in c.strip() %}{{ letter }}.{% endfor %}", "h", "e", " ", "s", "a", "i", "d")]
    [InlineData("{{ (c | trim)[::-1] }}", "dias eh")]
    [InlineData("{{ c | reverse | trim }}", "dias eh")]
    [InlineData("{{ messages[0].get('content') | string | trim }}", "he said")]
    [InlineData("{{ c | length }}{{ 'he' in c }}")]
    public void ContentIsFollowedThroughFiltersAndMethods(string source, params string[] expected)
    {
        RenderedPrompt prompt = ChatTemplate.Parse("{% set c = messages[0].content %}" + source).Render([new ChatMessage("user", "  he said  ")], addGenerationPrompt: false);
        Assert.Equal(expected, prompt.ContentRanges.Select(range => prompt.Text[range]));
    }

    [Fact]
    public void ADateIsWrittenFromTheGivenClock()
    {
        var template = ChatTemplate.Parse("{{ strftime_now('%d %b %Y %A %-d %j %I:%M %p %%') }}", time: new FixedTime(new DateTimeOffset(2026, 2, 3, 16, 5, 0, TimeSpan.Zero)));
        Assert.Equal("03 Feb 2026 Tuesday 3 034 04:05 PM %", template.Render(Hello, addGenerationPrompt: false).Text);
    }

    [Fact]
    public void TheConfigurationsTemplateAndTokensAreRead()
    {
        File.WriteAllText(Path.Combine(_folder, "tokenizer_config.json"), """
            {"bos_token": {"content": "<s>"}, "eos_token": "</s>", "pad_token": null,
             "chat_template": [{"name": "tool_use", "template": "no"}, {"name": "default", "template": "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}{{ pad_token is defined }}"}]}
            """);
        Assert.Equal("<s>hello</s>False", ChatTemplate.Load(_folder).Render(Hello, addGenerationPrompt: false).Text);

        File.WriteAllText(Path.Combine(_folder, "chat_template.jinja"), "own {{ bos_token }}\n");
        Assert.Equal("own <s>", ChatTemplate.Load(_folder).Render(Hello, addGenerationPrompt: false).Text);
    }

    [Fact]
    public void AFolderWithoutTemplateIsNamed() => Assert.Contains(_folder, Assert.Throws<TemplateException>(() => ChatTemplate.Load(_folder)).Message);

    [Theory]
    [InlineData("{\"chat_template\": 5}")]
    [InlineData("{\"chat_template\": [{\"name\": \"rag\", \"template\": \"x\"}]}")]
    [InlineData("{\"chat_template\": [7]}")]
    public void AWrongTemplateEntryIsRefused(string json)
    {
        File.WriteAllText(Path.Combine(_folder, "tokenizer_config.json"), json);
        Assert.Contains("chat_template", Assert.Throws<TokenizerFormatException>(() => ChatTemplate.Load(_folder)).Reason);
    }
}
