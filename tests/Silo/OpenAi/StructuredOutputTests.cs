using System.Net;
using System.Text.Json.Nodes;

namespace KvTiers.Silo.Tests.OpenAi;

/// <summary>Answers under a form, over HTTP, from a model of random weights.</summary>
[Collection(SiloCollection.Name)]
public sealed class StructuredOutputTests(SharedSilo silo)
{
    private const string Schema = """{"type":"object","properties":{"name":{"type":"string","maxLength":8},"size":{"type":"integer","minimum":0,"maximum":99}},"required":["name","size"],"additionalProperties":false}""";
    private const string Messages = "\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}],\"max_tokens\":200,\"seed\":3";

    [Theory]
    [InlineData("{\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"a\",\"strict\":true,\"schema\":" + Schema + "}}}")]
    [InlineData("{\"response_format\":{\"type\":\"json_object\",\"schema\":" + Schema + "}}")]
    [InlineData("{\"guided_json\":" + Schema + "}")]
    [InlineData("{\"structured_outputs\":{\"json\":" + Schema + "}}")]
    [InlineData("{\"json_schema\":" + Schema + "}")]
    public async Task EveryPlaceOfASchemaHoldsTheAnswerToIt(string fields)
    {
        foreach (string text in await AnswersTo(fields))
        {
            JsonObject value = JsonNode.Parse(text)!.AsObject();
            Assert.Equal(["name", "size"], value.Select(member => member.Key));
            Assert.InRange((int)value["size"]!, 0, 99);
        }
    }

    [Theory]
    [InlineData("""{"guided_regex":"[ab]{3}"}""", "^[ab]{3}$")]
    [InlineData("""{"structured_outputs":{"regex":"[ab]{3}"}}""", "^[ab]{3}$")]
    [InlineData("""{"guided_choice":["yes","no"]}""", "^(yes|no)$")]
    [InlineData("""{"structured_outputs":{"choice":["yes","no"]}}""", "^(yes|no)$")]
    [InlineData("""{"guided_grammar":"root ::= \"a\" [0-9]{2}"}""", "^a[0-9]{2}$")]
    [InlineData("""{"grammar":"root ::= \"a\" [0-9]{2}"}""", "^a[0-9]{2}$")]
    [InlineData("""{"structured_outputs":{"grammar":"root ::= \"a\" [0-9]{2}"}}""", "^a[0-9]{2}$")]
    public async Task OtherFormsHoldToo(string fields, string pattern) => Assert.All(await AnswersTo(fields), text => Assert.Matches(pattern, text));

    [Fact]
    public async Task AStreamAndANamedConversationGiveTheSame()
    {
        const string Body = "{" + Messages + ",\"guided_json\":" + Schema + "}";
        string whole = Text(await silo.Http.PostAsync("/v1/chat/completions", Body));
        List<string> data = await silo.Http.StreamAsync("/v1/chat/completions", Body[..^1] + ",\"stream\":true}").ToListAsync();
        Assert.Equal(whole, string.Concat(data[..^1].Select(chunk => (string?)JsonNode.Parse(chunk)!["choices"]![0]!["delta"]!["content"])));
        string stored = Text(await silo.Http.PostAsync("/v1/chat/completions", Body[..^1] + ",\"conversation\":\"structured-output\"}"));
        Assert.Equal(whole, stored);
    }

    [Theory]
    [InlineData("\"guided_regex\":\"(a)\\\\1\"", "guided_regex", "backreference")]
    [InlineData("\"guided_json\":{\"not\":{}}", "guided_json", "'not' is not supported")]
    [InlineData("\"response_format\":{\"type\":\"json_schema\"}", "response_format.json_schema.schema", "missing")]
    [InlineData("\"response_format\":{\"type\":\"xml\"}", "response_format.type", "json_schema")]
    [InlineData("\"guided_choice\":[]", "guided_choice", "at least one string")]
    [InlineData("\"grammar\":\"root ::= x\"", "grammar", "names the rule 'x'")]
    [InlineData("\"guided_regex\":\"a\",\"guided_choice\":[\"a\"]", "guided_choice", "both say")]
    [InlineData("\"guided_regex\":\"a\",\"use_beam_search\":true", "guided_regex", "'use_beam_search'")]
    public async Task WhatCannotBeHeldIsRefusedByName(string fields, string param, string reason)
    {
        JsonObject error = (await silo.Http.PostAsync("/v1/chat/completions", "{" + Messages + "," + fields + "}", HttpStatusCode.BadRequest))["error"]!.AsObject();
        Assert.Equal(param, (string?)error["param"]);
        Assert.Contains(reason, (string)error["message"]!);
    }

    // Two choices of a chat, and of a text completion.
    private async Task<List<string>> AnswersTo(string fields)
    {
        string rest = fields[1..^1] + ",\"n\":2}";
        JsonObject chat = await silo.Http.PostAsync("/v1/chat/completions", "{" + Messages + "," + rest);
        JsonObject text = await silo.Http.PostAsync("/v1/completions", "{\"prompt\":\"Hello\",\"max_tokens\":200,\"seed\":4," + rest);
        List<JsonObject> choices = [.. chat["choices"]!.AsArray().Concat(text["choices"]!.AsArray()).Select(choice => choice!.AsObject())];
        Assert.All(choices, choice => Assert.Equal("stop", (string)choice["finish_reason"]!));
        return [.. choices.Select(choice => (string?)choice["text"] ?? (string)choice["message"]!["content"]!)];
    }

    private static string Text(JsonObject answer) => (string)answer["choices"]![0]!["message"]!["content"]!;
}
