using KvTiers.Inference.Tools;

namespace KvTiers.Inference.Tests.Tools;

public sealed class ToolFormatsTests
{
    [Theory]
    [InlineData("{{ messages }}", ToolFormat.Json)]
    [InlineData("{% if tools %}{{ tools | tojson }}{% endif %}", ToolFormat.Json)]
    [InlineData("{% if tools %}<tool_call>{{ x }}</tool_call>{% endif %}", ToolFormat.Hermes)]
    [InlineData("{% if tools %}<tool_call><function=f></function></tool_call>{% endif %}", ToolFormat.Json)]
    [InlineData("{% if tools %}[TOOL_CALLS]{% endif %}", ToolFormat.Mistral)]
    [InlineData("{% if tools %}[TOOL_CALLS]f[ARGS]{% endif %}", ToolFormat.Json)]
    [InlineData("{% if tools %}<|start_header_id|>ipython<|end_header_id|> {\"parameters\": 1}{% endif %}", ToolFormat.Llama3)]
    public void AFormatIsReadFromTheTemplatesText(string template, ToolFormat format) => Assert.Equal(format, ToolFormats.Of(template));

    [Fact]
    public void IdsAreTheSameForTheSameSeedAndFitTheTemplate()
    {
        Assert.Equal(ToolIds.Of(ToolFormat.Json, "a", 0), ToolIds.Of(ToolFormat.Json, "a", 0));
        string[] ids = [.. Enumerable.Range(0, 100).Select(i => ToolIds.Of(ToolFormat.Mistral, "a", i)), .. Enumerable.Range(0, 100).Select(i => ToolIds.Of(ToolFormat.Mistral, "b", i))];
        Assert.Equal(200, ids.Distinct().Count());
        Assert.All(ids, id => Assert.Matches("^[A-Za-z0-9]{9}$", id));
        Assert.All(ids, id => Assert.Equal(id, ToolIds.ForTemplate(ToolFormat.Mistral, id)));
        Assert.Matches("^[A-Za-z0-9]{9}$", ToolIds.ForTemplate(ToolFormat.Mistral, "call_from_elsewhere"));
        Assert.Equal("call_from_elsewhere", ToolIds.ForTemplate(ToolFormat.Hermes, "call_from_elsewhere"));
    }
}
