using static KvTiers.Silo.Fields.Field;

namespace KvTiers.Silo.Fields;

/// <summary>The fields of functions and calls in chat requests.</summary>
internal static class ToolFields
{
    /// <summary>A list of functions that is taken, as JSON.</summary>
    public const string Example = """[{"type":"function","function":{"name":"now"}}]""";

    /// <summary>A list of calls that is taken, as JSON.</summary>
    public const string CallExample = """[{"id":"call_1","type":"function","function":{"name":"now","arguments":"{}"}}]""";

    private static readonly FieldTable Function = new("a function",
    [
        Honoured("name", ValueKinds.Text, "\"now\"", "1 to 128 letters, digits, `_`, `-`, `.`, `:` and `/`; no two functions have the same.") with { IsRequired = true },
        Honoured("description", ValueKinds.Text, "\"Tells the time.\"", "What it does, for the model."),
        Honoured("parameters", ValueKinds.Object, """{"type":"object","properties":{}}""", "JSON Schema of its arguments; absent = it takes none."),
        Honoured("strict", ValueKinds.Boolean, "true", "Whether a schema that is not supported is refused where a call is required; without, the arguments are then any object."),
    ])
    {
        Example = """{"name":"now"}""",
    };

    private static readonly FieldTable Named = new("a choice of a function", [Honoured("name", ValueKinds.Text, "\"now\"", "Its name, one of `tools`.")])
    {
        Example = """{"name":"now"}""",
    };

    private static readonly FieldTable Called = new("a called function",
    [
        Honoured("name", ValueKinds.Text, "\"now\"", "Its name.") with { IsRequired = true },
        Honoured("arguments", ValueKinds.Text | ValueKinds.Object, "\"{}\"", "The text of a JSON object, or the object."),
    ])
    {
        Example = """{"name":"now","arguments":"{}"}""",
    };

    private static readonly FieldTable Allowed = new("'allowed_tools'",
    [
        Honoured("mode", ValueKinds.Text, "\"auto\"", "`auto` or `required`.") with { IsRequired = true },
        Honoured("tools", ValueKinds.List, """[{"type":"function","function":{"name":"now"}}]""", "Those of `tools` that may be called.") with { IsRequired = true },
    ])
    {
        Example = """{"mode":"auto","tools":[{"type":"function","function":{"name":"now"}}]}""",
    };

    /// <summary>Of <c>tools</c>.</summary>
    public static FieldTable Table { get; } = new("a tool",
    [
        Honoured("type", ValueKinds.Text, "\"function\"", "`function`.") with { IsRequired = true },
        Honoured("function", ValueKinds.Object, """{"name":"now"}""", "The function.") with { Inner = Function, IsRequired = true },
        Refused("custom", "tools that are no functions"),
    ])
    {
        Example = """{"type":"function","function":{"name":"now"}}""",
    };

    /// <summary>Of <c>tool_choice</c>.</summary>
    public static FieldTable Choice { get; } = new("'tool_choice'",
    [
        Honoured("type", ValueKinds.Text, "\"allowed_tools\"", "`function` or `allowed_tools`.") with { IsRequired = true },
        Honoured("function", ValueKinds.Object, """{"name":"now"}""", "The one function to call.") with { Inner = Named },
        Honoured("allowed_tools", ValueKinds.Object, """{"mode":"auto","tools":[{"type":"function","function":{"name":"now"}}]}""", "Which functions may be called.") with { Inner = Allowed, IsRequired = true, Alternatives = ["function"] },
    ])
    {
        Example = """{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"now"}}]}}""",
    };

    /// <summary>Of a message's <c>tool_calls</c>.</summary>
    public static FieldTable Call { get; } = new("a call",
    [
        Honoured("id", ValueKinds.Text, "\"call_1\"", "Names the call.") with { IsRequired = true },
        Honoured("type", ValueKinds.Text, "\"function\"", "`function`."),
        Honoured("function", ValueKinds.Object, """{"name":"now","arguments":"{}"}""", "The function with its arguments.") with { Inner = Called, IsRequired = true },
        Ignored("index", "Which call of a stream it was."),
    ])
    {
        Example = """{"id":"call_1","type":"function","function":{"name":"now","arguments":"{}"}}""",
    };
}
