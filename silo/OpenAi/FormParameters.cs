using System.Text.Json;
using KvTiers.Conversations;
using KvTiers.Silo.Http;

namespace KvTiers.Silo.OpenAi;

/// <summary>Reads the form of an answer from the fields of OpenAI, vLLM and llama.cpp that ask for one. One of them may.</summary>
internal static class FormParameters
{
    /// <summary>The form, and the field that asks for it; null = any answer will do.</summary>
    /// <exception cref="ApiException">400: two fields ask for one, or one lacks a part.</exception>
    public static (AnswerFormat Format, string Param)? Read(SamplingParameters request)
    {
        List<(AnswerFormat Format, string Param)> forms = [.. All(request)];
        return forms.Count <= 1
            ? forms.Count == 0 ? null : forms[0]
            : throw ApiException.BadRequest($"'{forms[0].Param}' and '{forms[1].Param}' both say what the answer must look like; one may.", forms[1].Param);
    }

    private static IEnumerable<(AnswerFormat Format, string Param)> All(SamplingParameters request)
    {
        if (request.ResponseFormat is { } format && OfResponseFormat(format) is { } asked) yield return asked;
        if (request.GuidedJson is { } json) yield return (Schema(json, "guided_json"), "guided_json");
        if (request.GuidedRegex is { } regex) yield return (AnswerFormat.Regex(regex), "guided_regex");
        if (request.GuidedChoice is { } choice) yield return (AnswerFormat.Choice(choice), "guided_choice");
        if (request.GuidedGrammar is { } guided) yield return (AnswerFormat.Grammar(guided), "guided_grammar");
        if (request.Grammar is { Length: > 0 } grammar) yield return (AnswerFormat.Grammar(grammar), "grammar");
        if (request.JsonSchema is { } schema) yield return (Schema(schema, "json_schema"), "json_schema");
        if (request.StructuredOutputs is not { } outputs) yield break;
        if (outputs.Json is { } inner) yield return (Schema(inner, "structured_outputs.json"), "structured_outputs.json");
        if (outputs.Regex is { } innerRegex) yield return (AnswerFormat.Regex(innerRegex), "structured_outputs.regex");
        if (outputs.Choice is { } innerChoice) yield return (AnswerFormat.Choice(innerChoice), "structured_outputs.choice");
        if (outputs.Grammar is { } innerGrammar) yield return (AnswerFormat.Grammar(innerGrammar), "structured_outputs.grammar");
        if (outputs.JsonObject == true) yield return (AnswerFormat.JsonObject, "structured_outputs.json_object");
    }

    // OpenAI's json_schema has the schema inside an object; llama.cpp has it beside the type.
    private static (AnswerFormat Format, string Param)? OfResponseFormat(ResponseFormat format) => format.Type switch
    {
        "text" => null,
        "json_object" => format.Schema is { } schema ? (Schema(schema, "response_format.schema"), "response_format.schema") : (AnswerFormat.JsonObject, "response_format"),
        "json_schema" => (format.JsonSchema?.Schema ?? format.Schema) is { } schema
            ? (Schema(schema, "response_format.json_schema.schema"), "response_format.json_schema.schema")
            : throw ApiException.BadRequest("'response_format.json_schema.schema' is missing.", "response_format.json_schema.schema", ApiException.MissingParameter),
        _ => throw ApiException.BadRequest("'response_format.type' must be text, json_object or json_schema.", "response_format.type"),
    };

    // A schema is an object, or the text of one.
    private static AnswerFormat Schema(JsonElement schema, string param) =>
        AnswerFormat.JsonSchema(schema.ValueKind == JsonValueKind.String ? SiloJson.Text(schema, param) : schema.GetRawText());
}
