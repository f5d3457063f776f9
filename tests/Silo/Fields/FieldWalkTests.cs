using System.Text;
using System.Text.Json;
using KvTiers.Silo.Fields;
using KvTiers.Silo.Http;

namespace KvTiers.Silo.Tests.Fields;

public sealed class FieldWalkTests
{
    private static readonly FieldTable Table = ChatFields.Table;

    [Theory]
    [InlineData("""{"max_token":5}""", "max_token", "'max_token' is not a field of this request; did you mean 'max_tokens'?")]
    [InlineData("""{"maxTokens":5}""", "maxTokens", "did you mean 'max_tokens'?")]
    [InlineData("""{"messages":[{"role":"user","contnet":"x"}]}""", "messages[0].contnet", "'messages[0].contnet' is not a field of a message; did you mean 'content'?")]
    [InlineData("""{"messages":[{"content":[{"type":"text"},{"tpye":"text"}]}]}""", "messages[0].content[1].tpye", "did you mean 'type'?")]
    [InlineData("""{"stream_options":{"include_usages":true}}""", "stream_options.include_usages", "did you mean 'include_usage'?")]
    [InlineData("""{"Temperature":1}""", "Temperature", "did you mean 'temperature'?")]
    [InlineData("""{"something_of_its_own":1}""", "something_of_its_own", "'something_of_its_own' is not a field of this request. ")]
    public void AnUnknownNameIsRefusedWithTheNearestOne(string json, string param, string message)
    {
        ApiException e = Refused(json, ignoreUnknown: false);

        Assert.Equal(param, e.Error.Param);
        Assert.Equal("unknown_parameter", e.Error.Code);
        Assert.Contains(message, e.Message);
        Assert.Contains("KvTiers:UnknownFields", e.Message);
    }

    [Theory]
    [InlineData("""{"max_token":5,"messages":[{"contnet":{"a":[{}]}}]}""")]
    [InlineData("""{"Temperature":1}""")]
    public void UnknownNamesPassWhereTheyAreIgnored(string json) => new FieldWalk(ignoreUnknown: true).Check(Encoding.UTF8.GetBytes(json), Table);

    /// <summary>The place of each would be as long as the name before it.</summary>
    [Theory]
    [InlineData("1")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("\"\\n\"")]
    public void ALongNameBeforeManyFieldsCostsItsOwnLength(string value)
    {
        string many = string.Join(',', Enumerable.Range(0, 5000).Select(i => $"\"k{i}\":{value}"));
        string list = string.Join(',', Enumerable.Repeat(value, 5000));
        byte[] json = Encoding.UTF8.GetBytes("{\"metadata\":{\"" + new string('x', 1 << 20) + "\":{" + many + "},\"list\":[" + list + "]}}");
        long before = GC.GetAllocatedBytesForCurrentThread();
        new FieldWalk(ignoreUnknown: false).Check(json, Table);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 16 << 20);
    }

    [Fact]
    public void OfALongNameTheBeginningIsShown()
    {
        ApiException e = Refused("{\"metadata\":{\"" + new string('x', 5000) + "\":{\"a\":1,\"a\":2}}}", ignoreUnknown: false);

        Assert.Equal($"metadata.{new string('x', 100)}….a", e.Error.Param);
        Assert.InRange(e.Message.Length, 1, 300);
    }

    [Theory]
    [InlineData("""{"seed":1,"seed":1}""", "seed")]
    [InlineData("""{"seed":1,"\u0073eed":1}""", "seed")]
    [InlineData("""{"messages":[{"role":"user","role":"user"}]}""", "messages[0].role")]
    [InlineData("""{"logit_bias":{"1":2,"2":3,"1":2}}""", "logit_bias.1")]
    [InlineData("""{"metadata":{"a":{"b":1,"c":2,"b":1}}}""", "metadata.a.b")]
    [InlineData("""{"response_format":{"type":"text","type":"json_object"}}""", "response_format.type")]
    [InlineData("""{"unknown":1,"unknown":1}""", "unknown")]
    public void AFieldStandsOnceOnly(string json, string param)
    {
        ApiException e = Refused(json, ignoreUnknown: true);

        Assert.Equal(param, e.Error.Param);
        Assert.Equal("duplicate_parameter", e.Error.Code);
    }

    [Theory]
    [InlineData("""{"user":"\ud800"}""", "user")]
    [InlineData("""{"stop":["a","\udc00b"]}""", "stop[1]")]
    [InlineData("""{"metadata":{"\ud800":1}}""", "metadata")]
    [InlineData("""{"\ud800":1}""", null)]
    public void HalfASurrogatePairIsNoText(string json, string? param)
    {
        ApiException e = Refused(json, ignoreUnknown: true);

        Assert.Equal(param, e.Error.Param);
        Assert.Equal("invalid_text", e.Error.Code);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("5")]
    [InlineData("null")]
    public void ABodyIsAnObject(string json) => Assert.Equal("invalid_type", Refused(json, ignoreUnknown: true).Error.Code);

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{} {}")]
    [InlineData("""{"a":1,}""")]
    public void WhatIsNoJsonIsLeftToTheReader(string json) =>
        Assert.ThrowsAny<JsonException>(() => new FieldWalk(ignoreUnknown: true).Check(Encoding.UTF8.GetBytes(json), Table));

    [Theory]
    [InlineData("max_token", "max_tokens")]
    [InlineData("temprature", "temperature")]
    [InlineData("tempreature", "temperature")]
    [InlineData("top-p", "top_p")]
    [InlineData("n_choices", null)]
    [InlineData("x", null)]
    public void TheNearestNameIsNearEnoughOrNone(string given, string? nearest) =>
        Assert.Equal(nearest, NearestName.Of(given, ["max_tokens", "temperature", "top_p", "top_k", "seed"]));

    private static ApiException Refused(string json, bool ignoreUnknown) =>
        Assert.Throws<ApiException>(() => new FieldWalk(ignoreUnknown).Check(Encoding.UTF8.GetBytes(json), Table));
}
