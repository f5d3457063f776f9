using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace KvTiers.Silo.Tests.Http;

[Collection(SiloCollection.Name)]
public sealed class BodyEncodingTests(SharedSilo silo)
{
    private const string Body = """{"prompt":"squeezed","max_tokens":2}""";

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("deflate")]
    [InlineData("identity")]
    public async Task ACompressedBodyIsRead(string encoding)
    {
        (HttpStatusCode status, _) = await SendAsync(Compress(Encoding.UTF8.GetBytes(Body), encoding), encoding);

        Assert.Equal(HttpStatusCode.OK, status);
    }

    [Theory]
    [InlineData("zstd")]
    [InlineData("gzip, br")]
    [InlineData("nonsense")]
    public async Task AnotherEncodingIs415(string encoding)
    {
        (HttpStatusCode status, JsonNode error) = await SendAsync(Encoding.UTF8.GetBytes(Body), encoding);

        Assert.Equal(HttpStatusCode.UnsupportedMediaType, status);
        Assert.Equal("unsupported_encoding", (string)error["code"]!);
        Assert.Contains("gzip", (string)error["message"]!);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("deflate")]
    public async Task ABombIs413(string encoding)
    {
        byte[] bomb = Compress(new byte[200 << 20], encoding);
        Assert.InRange(bomb.Length, 1, 1 << 20);
        (HttpStatusCode status, _) = await SendAsync(bomb, encoding);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, status);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("deflate")]
    public async Task ABodyThatIsNotWhatItSaysIsRefused(string encoding)
    {
        (HttpStatusCode status, JsonNode error) = await SendAsync(Encoding.UTF8.GetBytes(Body), encoding);

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal("invalid_encoding", (string)error["code"]!);
    }

    [Fact]
    public async Task TextThatIsNotUtf8IsNamedAsSuch()
    {
        (HttpStatusCode status, JsonNode error) = await SendAsync([.. """{"prompt":"caf"""u8, 0xE9, .. "\"}"u8], null);
        (HttpStatusCode withMark, _) = await SendAsync([.. Encoding.UTF8.GetPreamble(), .. Encoding.UTF8.GetBytes(Body)], null);

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal("invalid_utf8", (string)error["code"]!);
        Assert.Contains("byte 15", (string)error["message"]!);
        Assert.Equal(HttpStatusCode.OK, withMark);
    }

    private static byte[] Compress(byte[] plain, string encoding)
    {
        using var squeezed = new MemoryStream();
        Stream stream = encoding switch
        {
            "gzip" => new GZipStream(squeezed, CompressionLevel.Optimal),
            "br" => new BrotliStream(squeezed, CompressionLevel.Fastest),
            "deflate" => new ZLibStream(squeezed, CompressionLevel.Optimal),
            _ => squeezed,
        };
        stream.Write(plain);
        stream.Dispose();
        return squeezed.ToArray();
    }

    private async Task<(HttpStatusCode Status, JsonNode Error)> SendAsync(byte[] body, string? encoding)
    {
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        if (encoding is not null) content.Headers.TryAddWithoutValidation("Content-Encoding", encoding);
        using HttpResponseMessage response = await silo.Http.PostAsync("/v1/completions", content);
        return (response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!["error"] ?? new JsonObject());
    }
}
