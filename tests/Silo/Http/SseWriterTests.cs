using System.Text;
using System.Text.Json;
using KvTiers.Conversations;
using KvTiers.Silo.Http;
using Microsoft.AspNetCore.Http;

namespace KvTiers.Silo.Tests.Http;

public sealed class SseWriterTests
{
    [Theory]
    [InlineData("")]
    [InlineData(" plain")]
    [InlineData("\"quoted\" \\ </script> & 'é' \u2028 \U0001F600 \u0001\n\t")]
    public async Task ATokenIsWrittenAsTheSerializerWritesIt(string text)
    {
        var token = new TurnToken { TokenId = 1234567, Text = text };
        var scored = token with { LogProb = new TokenLogProbView { TokenId = 1234567, Text = text, LogProb = -0.5, Top = [] } };
        Assert.Equal(Event(token) + Event(scored) + Event(token), await WrittenAsync(token, scored, token));
    }

    private static string Event(TurnEvent turn) => $"data: {JsonSerializer.Serialize(turn, ConversationJson.Options)}\n\n";

    private static async Task<string> WrittenAsync(params TurnEvent[] turns)
    {
        using var body = new MemoryStream();
        DefaultHttpContext context = new();
        context.Response.Body = body;
        SseWriter writer = new(context.Response, TestContext.Current.CancellationToken);
        foreach (TurnEvent turn in turns) await writer.WriteAsync(turn);
        return Encoding.UTF8.GetString(body.ToArray());
    }
}
