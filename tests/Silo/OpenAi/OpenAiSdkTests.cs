using System.ClientModel;
using System.ClientModel.Primitives;
using System.Text;
using OpenAI;
using OpenAI.Chat;
using OpenAI.Models;

namespace KvTiers.Silo.Tests.OpenAi;

/// <summary>OpenAI's own SDK with nothing changed but the base URL.</summary>
[Collection(SiloCollection.Name)]
public sealed class OpenAiSdkTests(SharedSilo silo)
{
    private readonly OpenAIClient _client = new(new ApiKeyCredential("unused"), new OpenAIClientOptions
    {
        Endpoint = new Uri(silo.Http.BaseAddress!, "/v1"),
        RetryPolicy = new ClientRetryPolicy(0),
    });

    [Fact]
    public async Task AChatIsCompleted()
    {
        ChatCompletion answer = await _client.GetChatClient("tiny").CompleteChatAsync(
            [new SystemChatMessage("Be kind."), new UserChatMessage("Hello from the SDK")],
            new ChatCompletionOptions { MaxOutputTokenCount = 6, Temperature = 0, IncludeLogProbabilities = true, TopLogProbabilityCount = 1 });

        Assert.Equal(ChatMessageRole.Assistant, answer.Role);
        Assert.Contains(answer.FinishReason, new[] { ChatFinishReason.Stop, ChatFinishReason.Length });
        Assert.Equal("tiny", answer.Model);
        Assert.NotEmpty(answer.ContentTokenLogProbabilities);
        Assert.Equal(answer.Usage.InputTokenCount + answer.Usage.OutputTokenCount, answer.Usage.TotalTokenCount);
    }

    [Fact]
    public async Task AStreamBringsTheSameTextAndItsUsage()
    {
        ChatMessage[] messages = [new UserChatMessage("Stream to the SDK")];
        var options = new ChatCompletionOptions { MaxOutputTokenCount = 8, Temperature = 0 };
        ChatClient chat = _client.GetChatClient("tiny");
        ChatCompletion whole = await chat.CompleteChatAsync(messages, options);
        var text = new StringBuilder();
        ChatFinishReason? reason = null;
        ChatTokenUsage? usage = null;
        await foreach (StreamingChatCompletionUpdate update in chat.CompleteChatStreamingAsync(messages, options))
        {
            foreach (ChatMessageContentPart part in update.ContentUpdate) text.Append(part.Text);
            reason ??= update.FinishReason;
            usage ??= update.Usage;
        }

        Assert.Equal(string.Concat(whole.Content.Select(part => part.Text)), text.ToString());
        Assert.Equal(whole.FinishReason, reason);
        // The SDK asks for the usage chunk by itself.
        Assert.Equal(whole.Usage.InputTokenCount, usage!.InputTokenCount);
        Assert.Equal(usage.InputTokenCount - 1, usage.InputTokenDetails.CachedTokenCount);
    }

    [Fact]
    public async Task ModelsAreListed()
    {
        OpenAIModelCollection models = await _client.GetOpenAIModelClient().GetModelsAsync();
        OpenAIModel model = await _client.GetOpenAIModelClient().GetModelAsync("tiny");

        Assert.Equal(["tiny"], models.Select(one => one.Id));
        Assert.Equal("kvtiers", model.OwnedBy);
    }

    [Fact]
    public async Task AnErrorArrivesWithItsStatusAndMessage()
    {
        ClientResultException e = await Assert.ThrowsAsync<ClientResultException>(
            () => _client.GetChatClient("another").CompleteChatAsync([new UserChatMessage("x")]));

        Assert.Equal(404, e.Status);
        Assert.Contains("another", e.Message);
    }
}
