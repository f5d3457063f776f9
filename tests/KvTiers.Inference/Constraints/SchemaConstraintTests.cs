using KvTiers.Conversations;
using KvTiers.Inference.Constraints;
using KvTiers.Inference.Constraints.Automata;
using KvTiers.Inference.Tokens;

namespace KvTiers.Inference.Tests.Constraints;

/// <summary>JSON Schemas as constraints: what is allowed, what is not, and what is refused.</summary>
public sealed class SchemaConstraintTests
{
    private static readonly Tokenizer Tokenizer = TestTokenizer.Demo;

    [Theory]
    [InlineData("""{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"string"}},"required":["a"],"additionalProperties":false}""", """{"a":1}""", """{"a": -20, "b": "x\n\u00e9\ud83d\ude00é"}""")]
    [InlineData("""{"type":"object","properties":{"a":{},"b":{}},"additionalProperties":false}""", "{}", """{"a":null}""", """{"b":[1,{"c":2}]}""", """{"a":true,"b":false}""")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"null"}}}""", """{"a":null,"further":1.5e3}""", """{"x":1,"y":2}""", "{}", """{"aa":1}""")]
    [InlineData("""{"type":"array","items":{"type":"boolean"},"minItems":1,"maxItems":3}""", "[true]", "[true, false,true]")]
    [InlineData("""{"type":"array","items":{"type":"null"},"maxItems":1000000000}""", "[]", "[null,null]")]
    [InlineData("""{"type":"array","prefixItems":[{"type":"integer"},{"type":"string"}],"items":false}""", "[]", "[1]", """[1,"a"]""")]
    [InlineData("""{"type":"array","prefixItems":[{"type":"integer"}],"items":{"type":"string"},"minItems":2}""", """[1,"a"]""", """[1,"a","b"]""")]
    [InlineData("""{"$ref":"#/$defs/node","$defs":{"node":{"type":"object","properties":{"next":{"anyOf":[{"$ref":"#/$defs/node"},{"type":"null"}]}},"required":["next"],"additionalProperties":false}}}""", """{"next":null}""", """{"next":{"next":{"next":null}}}""")]
    [InlineData("""{"enum":["a",1,null,{"x":[1,2]}]}""", "\"a\"", "1", "null", """{"x":[1, 2]}""")]
    [InlineData("""{"const":"say \"hi\""}""", "\"say \\\"hi\\\"\"")]
    [InlineData("""{"type":"integer","minimum":-3,"maximum":12}""", "-3", "-1", "0", "9", "10", "12")]
    [InlineData("""{"type":"integer","exclusiveMinimum":99}""", "100", "101", "5000")]
    [InlineData("""{"type":"integer","maximum":-7}""", "-7", "-8", "-123")]
    [InlineData("""{"type":"integer","multipleOf":7,"minimum":0}""", "0", "7", "700")]
    [InlineData("""{"type":"number","multipleOf":0.25,"minimum":0,"maximum":2}""", "0.25", "1.75", "2.00")]
    [InlineData("""{"type":"number","minimum":0.5,"exclusiveMaximum":1.25}""", "0.5", "0.51", "1", "1.0", "1.2", "1.2499")]
    [InlineData("""{"type":"number","exclusiveMinimum":0,"maximum":1}""", "0.001", "1", "1.000", "0.9")]
    [InlineData("""{"type":"number","minimum":-1.5,"maximum":-0.25}""", "-1.5", "-0.25", "-1", "-0.3")]
    [InlineData("""{"type":"number"}""", "0", "-0.5", "1e10", "12.5E-3")]
    [InlineData("""{"type":"string","minLength":2,"maxLength":3}""", "\"ab\"", "\"日本語\"", "\"\\u0041\\n\"", "\"😀😀\"")]
    [InlineData("""{"type":"string","pattern":"^[A-Z]{2}\\d+$","maxLength":4}""", "\"AB1\"", "\"AB12\"")]
    [InlineData("""{"type":"string","pattern":"b"}""", "\"b\"", "\"abc\"", "\"\\\"b\"")]
    [InlineData("""{"type":"string","format":"date"}""", "\"2024-02-29\"", "\"2023-12-31\"")]
    [InlineData("""{"type":"string","format":"uuid"}""", "\"123e4567-e89b-12d3-a456-426614174000\"")]
    [InlineData("""{"type":["string","null"]}""", "null", "\"\"")]
    [InlineData("""{"allOf":[{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]},{"properties":{"b":{"type":"string"},"a":{"minimum":5}},"required":["b"]}]}""", """{"a":5,"b":""}""")]
    [InlineData("""{"oneOf":[{"type":"object","properties":{"kind":{"const":"a"},"x":{"type":"integer"}},"required":["kind","x"],"additionalProperties":false},{"type":"object","properties":{"kind":{"const":"b"}},"required":["kind"],"additionalProperties":false}]}""", """{"kind":"a","x":1}""", """{"kind":"b"}""")]
    [InlineData("""{"type":"object","additionalProperties":{"type":"integer"},"maxProperties":2}""", "{}", """{"a":1}""", """{"a":1,"b":2}""")]
    [InlineData("""{"type":"object","propertyNames":{"enum":["x","y"]},"additionalProperties":{"type":"integer"}}""", """{"x":1}""", """{"y":1, "x":2}""")]
    [InlineData("""{"type":"object","patternProperties":{"^x_":{"type":"integer"}},"additionalProperties":false}""", """{"x_a":1}""", "{}")]
    [InlineData("true", "null", "[]", """{"a":[]}""")]
    [InlineData("""{"type":"string","format":"email","pattern":"^(?!\\.)(?!.*\\.\\.)([A-Za-z0-9_'+\\-\\.]*)[A-Za-z0-9_+-]@([A-Za-z0-9][A-Za-z0-9\\-]*\\.)+[A-Za-z]{2,}$"}""", "\"a.b@example.org\"")]
    public void ValuesOfTheSchemaAreAllowed(string schema, params string[] values)
    {
        Constraint constraint = Constraint.Compile(AnswerFormat.JsonSchema(schema), Tokenizer);
        Assert.All(values, value => Assert.True(Walk.Allows(constraint, Tokenizer, value), value));
        Assert.All(values, value => Assert.True(Oracle.IsValid(schema, value), $"{value}, says the validator"));
    }

    [Theory]
    [InlineData("""{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"],"additionalProperties":false}""", "{}", """{"a":1.5}""", """{"a":1,"b":2}""", """{"a":1""", """{"a":1}}""")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"null"}}}""", """{"a":1}""", """{"\u0061":1}""")]
    [InlineData("""{"type":"array","items":{"type":"boolean"},"minItems":1,"maxItems":3}""", "[]", "[true,true,true,true]", "[1]")]
    [InlineData("""{"type":"array","prefixItems":[{"type":"integer"},{"type":"string"}],"items":false}""", """[1,"a",1]""", """["a"]""")]
    [InlineData("""{"type":"integer","minimum":-3,"maximum":12}""", "-4", "13", "120", "01")]
    [InlineData("""{"type":"integer","exclusiveMinimum":99}""", "99", "9", "-100")]
    [InlineData("""{"type":"integer","multipleOf":7,"minimum":0}""", "1", "701")]
    [InlineData("""{"type":"number","minimum":0.5,"exclusiveMaximum":1.25}""", "0.49", "1.25", "1.250", "0", "2")]
    [InlineData("""{"type":"number","exclusiveMinimum":0,"maximum":1}""", "0", "0.0", "1.01", "-0.5")]
    [InlineData("""{"type":"number","minimum":-1.5,"maximum":-0.25}""", "-1.51", "-0.2", "0", "-2")]
    [InlineData("""{"type":"string","minLength":2,"maxLength":3}""", "\"a\"", "\"abcd\"", "\"\\u0041\"")]
    [InlineData("""{"type":"string"}""", "\"\\ud800\"", "\"\n\"", "\"\\x\"")]
    [InlineData("""{"type":"string","format":"date"}""", "\"2023-02-29\"", "\"2023-04-31\"", "\"1900-02-29\"")]
    [InlineData("""{"type":"string","pattern":"^a$"}""", "\"a\\n\"", "\"ba\"")]
    [InlineData("""{"type":"object","propertyNames":{"enum":["x","y"]},"additionalProperties":{"type":"integer"}}""", """{"z":1}""")]
    public void OthersAreNot(string schema, params string[] values)
    {
        Constraint constraint = Constraint.Compile(AnswerFormat.JsonSchema(schema), Tokenizer);
        Assert.All(values, value => Assert.False(Walk.Allows(constraint, Tokenizer, value), value));
    }

    [Theory]
    [InlineData("""{"type":"object","properties":{"a":{"not":{}}}}""", "#/properties/a", "'not'")]
    [InlineData("""{"type":"array","uniqueItems":true}""", "#", "'uniqueItems'")]
    [InlineData("""{"if":{}}""", "#", "'if'")]
    [InlineData("""{"type":"object","properties":{"a":{"typ":"string"}}}""", "#/properties/a", "'typ'")]
    [InlineData("""{"type":"text"}""", "#", "'type' is \"text\"")]
    [InlineData("""{"$ref":"#/$defs/a"}""", "#", "no '$defs'")]
    [InlineData("""{"$ref":"http://example.org/x"}""", "#", "'$ref'")]
    [InlineData("""{"$ref":"#"}""", "#", "refers to itself")]
    [InlineData("""{"oneOf":[{"type":"string"},{"maxLength":3}]}""", "#", "'oneOf'")]
    [InlineData("""{"type":"string","format":"color"}""", "#", "'format' is 'color'")]
    [InlineData("""{"type":"string","pattern":"(a)\\1"}""", "#", "backreference")]
    [InlineData("""{"type":"string","minLength":-1}""", "#", "'minLength' is -1")]
    [InlineData("""{"type":"number","multipleOf":0}""", "#", "'multipleOf' is 0")]
    [InlineData("""{"enum":[]}""", "#", "'enum'")]
    [InlineData("""{"enum":["a"],"minLength":3}""", "#", "'minLength' beside 'enum'")]
    [InlineData("""{"type":"object","properties":[]}""", "#", "'properties'")]
    [InlineData("[]", "#", "must be an object")]
    public void WhatIsNotSupportedIsRefusedByNameAndPlace(string schema, string place, string name)
    {
        string message = Assert.Throws<ConstraintException>(() => Constraint.Compile(AnswerFormat.JsonSchema(schema), Tokenizer)).Message;
        Assert.Contains($"'{place}'", message);
        Assert.Contains(name, message);
    }

    [Theory]
    [InlineData("false")]
    [InlineData("""{"type":"integer","minimum":3,"maximum":2}""")]
    [InlineData("""{"type":"object","properties":{"a":false},"required":["a"]}""")]
    [InlineData("""{"allOf":[{"type":"string"},{"type":"integer"}]}""")]
    [InlineData("""{"type":"string","minLength":3,"maxLength":2}""")]
    public void ASchemaWithoutValuesIsRefused(string schema) =>
        Assert.Contains("no text", Assert.Throws<ConstraintException>(() => Constraint.Compile(AnswerFormat.JsonSchema(schema), Tokenizer)).Message);

    [Fact]
    public void NullableIsNullToo() => Assert.True(Walk.Allows(AnswerFormat.JsonSchema("""{"type":"string","nullable":true}"""), Tokenizer, "null"));

    [Fact]
    public void AnyObjectIsAnObject()
    {
        var constraint = Constraint.Compile(AnswerFormat.JsonObject, Tokenizer);
        Assert.True(Walk.Allows(constraint, Tokenizer, """{"a": [1, {"b": null}], "c": "d"}"""));
        Assert.True(Walk.Allows(constraint, Tokenizer, "{}"));
        Assert.All((string[])["[]", "1", "", " {}", "{} "], text => Assert.False(Walk.Allows(constraint, Tokenizer, text)));
    }
}
