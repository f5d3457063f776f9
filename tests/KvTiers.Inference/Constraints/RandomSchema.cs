using System.Text.Json.Nodes;

namespace KvTiers.Inference.Tests.Constraints;

/// <summary>JSON Schemas as clients write them, and of every keyword that is held.</summary>
internal static class RandomSchema
{
    private static readonly string[] Names = ["id", "name", "value", "tags", "kind", "a b", "größe", "x\"y", "items", "next"];
    private static readonly string[] Formats = ["date", "time", "date-time", "email", "uuid", "ipv4", "ipv6", "hostname", "uri", "duration"];
    private static readonly string[] Patterns = ["^[a-z]{2,5}$", "^\\d{3}-\\d{4}$", "b", "^(red|green|blue)$", "^[A-Z][a-z]*( [A-Z][a-z]*)?$", "^(?!a)[a-c]+$"];

    /// <summary>Shapes that public schemas have: trees, tagged unions, what Pydantic and Zod write.</summary>
    public static IReadOnlyList<string> Public { get; } =
    [
        """{"type":"object","properties":{"name":{"title":"Name","type":"string"},"age":{"anyOf":[{"type":"integer"},{"type":"null"}],"default":null,"title":"Age"}},"required":["name"],"title":"User"}""",
        """{"$defs":{"Node":{"type":"object","properties":{"value":{"type":"integer"},"children":{"type":"array","items":{"$ref":"#/$defs/Node"},"maxItems":2}},"required":["value","children"],"additionalProperties":false}},"$ref":"#/$defs/Node"}""",
        """{"oneOf":[{"type":"object","properties":{"kind":{"const":"circle"},"radius":{"type":"number","exclusiveMinimum":0}},"required":["kind","radius"],"additionalProperties":false},{"type":"object","properties":{"kind":{"const":"square"},"side":{"type":"number","minimum":1,"maximum":10}},"required":["kind","side"],"additionalProperties":false}]}""",
        """{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{"email":{"type":"string","format":"email","pattern":"^(?!\\.)(?!.*\\.\\.)([A-Za-z0-9_'+\\-\\.]*)[A-Za-z0-9_+-]@([A-Za-z0-9][A-Za-z0-9\\-]*\\.)+[A-Za-z]{2,}$"},"role":{"type":"string","enum":["admin","user"]},"scores":{"type":"array","items":{"type":"number"},"maxItems":4}},"required":["email","role","scores"],"additionalProperties":false}""",
        """{"type":"object","properties":{"steps":{"type":"array","items":{"type":"object","properties":{"explanation":{"type":"string","maxLength":20},"output":{"type":"string","maxLength":20}},"required":["explanation","output"],"additionalProperties":false},"maxItems":3},"final_answer":{"type":"string","maxLength":20}},"required":["steps","final_answer"],"additionalProperties":false}""",
        """{"type":"object","propertyNames":{"type":"string","pattern":"^[a-z]+$"},"additionalProperties":{"type":"integer"},"maxProperties":3}""",
        """{"type":"object","properties":{"latitude":{"type":"number","minimum":-90,"maximum":90},"longitude":{"type":"number","minimum":-180,"maximum":180}},"required":["latitude","longitude"],"additionalProperties":false}""",
        """{"type":"array","prefixItems":[{"type":"string","maxLength":5},{"type":"integer"},{"enum":["N","S","E","W"]}],"items":false,"minItems":3}""",
        """{"allOf":[{"type":"object","properties":{"id":{"type":"string","format":"uuid"}},"required":["id"]},{"type":"object","properties":{"at":{"type":"string","format":"date-time"}},"required":["at"]}]}""",
        """{"type":"object","properties":{"expr":{"$ref":"#/definitions/expr"}},"required":["expr"],"additionalProperties":false,"definitions":{"expr":{"anyOf":[{"type":"integer"},{"type":"object","properties":{"op":{"enum":["+","*"]},"left":{"$ref":"#/definitions/expr"},"right":{"$ref":"#/definitions/expr"}},"required":["op","left","right"],"additionalProperties":false}]}}}""",
    ];

    public static string Of(Random random) => Schema(random, 3).ToJsonString();

    private static JsonNode Schema(Random random, int depth) => random.Next(depth > 0 ? 11 : 7) switch
    {
        0 => new JsonObject { ["type"] = "boolean" },
        1 => Number(random, "integer"),
        2 => Number(random, "number"),
        3 or 4 => Text(random),
        5 => new JsonObject { ["enum"] = new JsonArray(["red", random.Next(100), null, true, "a\"b", -1.5]) },
        6 => new JsonObject { ["type"] = new JsonArray(["string", "null"]), ["maxLength"] = 4 },
        7 => List(random, depth),
        8 => new JsonObject { ["anyOf"] = new JsonArray([Schema(random, depth - 1), Schema(random, depth - 1)]) },
        _ => Object(random, depth),
    };

    private static JsonObject Number(Random random, string type)
    {
        var schema = new JsonObject { ["type"] = type };
        decimal low = (random.Next(-2_000, 2_000) / (type == "integer" || random.Next(2) == 0 ? 1m : 8m));
        if (random.Next(3) > 0)
            schema[random.Next(2) == 0 ? "minimum" : "exclusiveMinimum"] = low;
        if (random.Next(3) > 0)
            schema[random.Next(2) == 0 ? "maximum" : "exclusiveMaximum"] = low + random.Next(2, 3_000);
        if (random.Next(4) == 0)
            schema["multipleOf"] = type == "integer" ? random.Next(1, 3) : random.Next(2) == 0 ? 0.01m : 0.25m;
        return schema;
    }

    private static JsonObject Text(Random random)
    {
        var schema = new JsonObject { ["type"] = "string" };
        switch (random.Next(4))
        {
            case 0:
                schema["format"] = Formats[random.Next(Formats.Length)];
                break;
            case 1:
                schema["pattern"] = Patterns[random.Next(Patterns.Length)];
                break;
            case 2:
                int min = random.Next(4);
                schema["minLength"] = min;
                schema["maxLength"] = min + random.Next(5);
                break;
        }

        return schema;
    }

    private static JsonObject List(Random random, int depth)
    {
        var schema = new JsonObject { ["type"] = "array", ["items"] = Schema(random, depth - 1) };
        int min = random.Next(3);
        schema["minItems"] = min;
        if (random.Next(3) > 0)
            schema["maxItems"] = min + random.Next(3);
        return schema;
    }

    private static JsonObject Object(Random random, int depth)
    {
        var properties = new JsonObject();
        foreach (string name in Names.OrderBy(_ => random.Next()).Take(random.Next(5)))
            properties[name] = Schema(random, depth - 1);
        var schema = new JsonObject { ["type"] = "object", ["properties"] = properties };
        schema["required"] = new JsonArray([.. properties.Select(property => property.Key).Where(_ => random.Next(3) > 0).Select(name => (JsonNode)name)]);
        switch (random.Next(4))
        {
            case 0:
                schema["additionalProperties"] = Schema(random, depth - 1);
                break;
            case 1 or 2:
                schema["additionalProperties"] = false;
                break;
        }

        return schema;
    }
}
