using System.Net;

namespace KvTiers.Silo.Tests.Conversations;

/// <summary>A conversation that nobody has is asked for, and then it is made: the grain that had nothing to keep is in nobody's way.</summary>
public sealed class UnknownConversationTests
{
    [Fact]
    public async Task ATurnRightAfterAMissIsTaken()
    {
        await using SiloServer silo = await SiloServer.StartAsync();
        for (int i = 0; i < 200; i++)
        {
            await silo.Http.GetJsonAsync($"/v1/conversations/missed-{i}", HttpStatusCode.NotFound);
            await silo.Http.PostAsync("/v1/chat/completions", $$"""{"conversation":"missed-{{i}}","messages":[{"role":"user","content":"x"}],"max_tokens":1}""");
        }
    }

    [Fact]
    public async Task MissesDoNotEndTheTurnThatMakesTheConversation()
    {
        await using SiloServer silo = await SiloServer.StartAsync();
        for (int i = 0; i < 20; i++)
        {
            int events = 0;
            string last = "";
            await foreach (string one in silo.Http.StreamAsync("/v1/chat/completions", $$"""{"conversation":"made-{{i}}","messages":[{"role":"user","content":"x"}],"max_tokens":20,"ignore_eos":true,"stream":true}"""))
            {
                last = one;
                if (++events % 4 == 0)
                    (await silo.Http.GetAsync($"/v1/conversations/made-{i}")).Dispose();
            }

            Assert.Equal("[DONE]", last);
            Assert.Equal(2, (await silo.Http.GetJsonAsync($"/v1/conversations/made-{i}"))["messages"]!.AsArray().Count);
        }
    }
}
