namespace KvTiers.Clients.Tests.Npm;

/// <summary>Clients of npm, unchanged but for base URL and key. What each call does and holds is in <c>tests/Clients/scripts</c>, under the same name.</summary>
[Collection(ClientsCollection.Name)]
public sealed class NpmClientTests(ClientsServer server)
{
    [Theory]
    [InlineData("models are listed")]
    [InlineData("a conversation of several turns")]
    [InlineData("a stream brings what the whole answer is")]
    [InlineData("a stream is cancelled")]
    [InlineData("an unknown model is a NotFoundError")]
    [InlineData("a value out of range is a BadRequestError with its param")]
    [InlineData("a wrong key is an AuthenticationError")]
    [InlineData("a text is completed")]
    [InlineData("several choices")]
    [InlineData("tools: auto leaves the choice")]
    [InlineData("tools: none")]
    [InlineData("tools: required")]
    [InlineData("tools: named, and its answer")]
    [InlineData("tools: streamed")]
    [InlineData("max_tokens above the context")]
    [InlineData("prompt_cache_key is a hint")]
    [InlineData("assistant content of null")]
    [InlineData("the request has an id, and the usage its details")]
    [InlineData("responses: created, streamed and chained")]
    [InlineData("responses: an error has its param")]
    [InlineData("embeddings")]
    [InlineData("structured: json_object")]
    [InlineData("structured: json_schema of zod")]
    public Task OpenAi(string call) => HoldsAsync("openai.mjs", call);

    [Theory]
    [InlineData("a conversation of several turns")]
    [InlineData("a stream brings what the whole answer is")]
    [InlineData("a stream is cancelled")]
    [InlineData("an unknown model is an APICallError")]
    [InlineData("a value out of range is an APICallError with its param")]
    [InlineData("tools: a call, its result, and the answer")]
    [InlineData("tools: streamed")]
    [InlineData("embeddings")]
    [InlineData("structured: an object of a zod schema")]
    public Task AiSdkOverChatCompletions(string call) => HoldsAsync("ai-sdk.mjs chat", call);

    [Theory]
    [InlineData("a stream brings what the whole answer is")]
    [InlineData("a stream is cancelled")]
    [InlineData("an unknown model is an APICallError")]
    [InlineData("a value out of range is an APICallError with its param")]
    [InlineData("embeddings")]
    [InlineData("tools: a call, its result, and the answer")]
    [InlineData("tools: streamed")]
    [InlineData("structured: an object of a zod schema")]
    [InlineData("a conversation of several turns")]
    public Task AiSdkOverResponses(string call) => HoldsAsync("ai-sdk.mjs responses", call);

    [Theory]
    [InlineData("a conversation of several turns")]
    [InlineData("a stream brings what the whole answer is")]
    [InlineData("a stream is cancelled")]
    [InlineData("an unknown model is an APICallError")]
    [InlineData("a value out of range is an APICallError with its param")]
    [InlineData("tools: a call, its result, and the answer")]
    [InlineData("tools: streamed")]
    [InlineData("embeddings")]
    [InlineData("structured: an object of a zod schema")]
    public Task AiSdkOverOpenAiCompatible(string call) => HoldsAsync("ai-sdk.mjs compatible", call);

    [Theory]
    [InlineData("a conversation of several turns")]
    [InlineData("a stream brings what the whole answer is")]
    [InlineData("a stream is cancelled")]
    [InlineData("an unknown model is an error with its status and code")]
    [InlineData("a value out of range is an error with its param")]
    [InlineData("tools: a call, its result, and the answer")]
    [InlineData("structured: an object by a function call")]
    [InlineData("structured: an object of a zod schema")]
    [InlineData("embeddings")]
    public Task LangChain(string call) => HoldsAsync("langchain.mjs", call);

    [Theory]
    [InlineData("a conversation of several turns")]
    [InlineData("a stream brings what the whole answer is")]
    [InlineData("a stream is cancelled")]
    [InlineData("an unknown model is a NotFoundError")]
    [InlineData("a value out of range is a BadRequestError")]
    [InlineData("a wrong key is an AuthenticationError")]
    [InlineData("tokens are counted")]
    [InlineData("a prompt is kept to its breakpoint and read again")]
    [InlineData("tools: a call, its result, and the answer")]
    [InlineData("tools: streamed")]
    public Task Anthropic(string call) => HoldsAsync("anthropic.mjs", call);

    private async Task HoldsAsync(string script, string call)
    {
        IReadOnlyDictionary<string, string?> calls = await NpmScript.CallsAsync(script, server);
        Assert.True(calls.ContainsKey(call), $"{script} has no call '{call}'; it has {string.Join(", ", calls.Keys)}.");
        Assert.Null(calls[call]);
        // Also after a stream that was cancelled.
        await server.UntilIdleAsync();
    }
}
