using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using KvTiers.Silo.Fields;

namespace KvTiers.Silo.Tests.Fields;

/// <summary>Every field of every request is sent with a value of each kind, and the server does what the table says.</summary>
[Collection(SiloCollection.Name)]
public sealed class FieldTableTests(SharedSilo silo)
{
    private static readonly (ValueKinds Kind, string Json)[] Values =
    [
        (ValueKinds.Text, "\"a text of no meaning\""),
        (ValueKinds.Integer, "3"),
        (ValueKinds.Number, "0.25"),
        (ValueKinds.Boolean, "true"),
        (ValueKinds.Boolean, "false"),
        (ValueKinds.List, "[3]"),
        (ValueKinds.List, "[]"),
        (ValueKinds.Object, "{\"a\":1}"),
        (ValueKinds.Object, "{}"),
    ];

    private string? _response;

    public static TheoryData<string> Paths => [.. ApiTable.All.Select(api => api.Path)];

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task TheServerDoesWithEachValueWhatTheTableSays(string path)
    {
        FieldTable table = ApiTable.All.Single(api => api.Path == path).Table;
        JsonObject body = Object(table.Example);
        List<string> faults = [];
        await CheckAsync(path, table, "", (field, value) => With(body, field, value), faults);

        Assert.True(faults.Count == 0, string.Join('\n', faults));
    }

    [Fact]
    public void EveryHonouredFieldHasAnExampleAndAText() =>
        Assert.All(ApiTable.All.SelectMany(api => Within(api.Table)), field =>
        {
            Assert.NotEqual("null", field.Use == FieldUse.Honoured ? field.Example : "");
            Assert.NotEmpty(field.Text);
        });

    private static IEnumerable<Field> Within(FieldTable table) => table.Fields.SelectMany(field => field.Inner is { } inner ? Within(inner).Prepend(field) : [field]);

    private async Task CheckAsync(string path, FieldTable table, string prefix, Func<Field, string, JsonObject> make, List<string> faults)
    {
        foreach (Field field in table.Fields)
        {
            string at = prefix + field.Name;
            foreach ((ValueKinds kind, string json) in Values)
            {
                (int Status, string? Code)? expected = Expected(field, kind, json);
                if (expected is { } one) await SendAsync(path, make(field, json), at, json, one.Status, one.Code, faults);
            }

            await SendAsync(path, make(field with { With = null }, "null"), at, "null", field.IsRequired ? 400 : 200, null, faults);
            await SendAsync(path, make(field, field.Example), at, field.Example, 200, null, faults);
            foreach (JsonElement nothing in field.Nothing) await SendAsync(path, make(field, nothing.GetRawText()), at, nothing.GetRawText(), 200, null, faults);

            if (field.Inner is not { } inner) continue;
            bool isList = field.Kinds.HasFlag(ValueKinds.List);
            await CheckAsync(path, inner, isList ? $"{at}[0]." : $"{at}.", (nested, value) =>
            {
                JsonObject made = With(Object(inner.Example), nested, value);
                return make(field, isList ? $"[{made.ToJsonString()}]" : made.ToJsonString());
            }, faults);
        }
    }

    // Null: the value is of the right kind, and what it means is for the field's own tests.
    private static (int Status, string? Code)? Expected(Field field, ValueKinds kind, string json) => field.Use switch
    {
        FieldUse.Ignored => (200, null),
        FieldUse.Refused when field.AsksForNothing(JsonDocument.Parse(json).RootElement) => (200, null),
        FieldUse.Refused => (400, "unsupported_parameter"),
        _ when field.Kinds.HasFlag(kind) || (kind == ValueKinds.Integer && field.Kinds.HasFlag(ValueKinds.Number)) => null,
        _ => (400, "invalid_type"),
    };

    private async Task SendAsync(string path, JsonObject body, string at, string value, int status, string? code, List<string> faults)
    {
        string sent = body.ToJsonString().Replace("resp_example", await ResponseAsync(), StringComparison.Ordinal);
        using HttpResponseMessage response = await silo.Http.PostAsync(path, new StringContent(sent, Encoding.UTF8, "application/json"));
        string text = await response.Content.ReadAsStringAsync();
        if ((int)response.StatusCode != status)
        {
            faults.Add($"{at}: {value} → {(int)response.StatusCode}, not {status}: {text}");
            return;
        }

        if (response.StatusCode != HttpStatusCode.BadRequest) return;
        JsonNode error = JsonNode.Parse(text)!["error"]!;
        if ((string?)error["param"] != at) faults.Add($"{at}: {value} → 400 for '{error["param"]}': {text}");
        if (code is not null && (string?)error["code"] != code) faults.Add($"{at}: {value} → {error["code"]}, not {code}: {text}");
    }

    // Stands for the id in the table's example.
    private async Task<string> ResponseAsync() =>
        _response ??= (string)(await silo.Http.PostAsync("/v1/responses", """{"input":"Hello","max_output_tokens":2}"""))["id"]!;

    private static JsonObject With(JsonObject body, Field field, string value)
    {
        var changed = (JsonObject)body.DeepClone();
        if (field.With is { } with)
            foreach ((string name, JsonNode? node) in Object($"{{{with}}}")) changed[name] = node?.DeepClone();
        changed[field.Name] = JsonNode.Parse(value);
        return changed;
    }

    private static JsonObject Object(string json) => JsonNode.Parse(json)!.AsObject();
}
