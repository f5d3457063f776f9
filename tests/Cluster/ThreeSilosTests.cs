using System.Text.Json.Nodes;
using KvTiers.Client;
using KvTiers.Conversations;
using KvTiers.Tests.Shared;

namespace KvTiers.Cluster.Tests;

/// <summary>Three servers as processes that share two Redis servers: what one has computed, no other computes.</summary>
public sealed class ThreeSilosTests : IAsyncLifetime
{
    private const int BlockSize = 16;
    private static readonly ConversationKey Key = new(KvTiersClientOptions.DefaultTenant, "walks");
    private ThreeSilos _silos = null!;

    public async ValueTask InitializeAsync() => _silos = await ThreeSilos.StartAsync(
        $"--model {TestModels.Tiny} --KvTiers:Promotion=always --KvTiers:RedisDeadline=60s --KvTiers:StoreDeadline=60s", cluster: false); // what is counted must not hang on how busy the machine is

    public ValueTask DisposeAsync() => _silos?.DisposeAsync() ?? ValueTask.CompletedTask;

    [Fact]
    public async Task AConversationGoesOnElsewhereWithItsPrefixReadFromRedis()
    {
        IConversations one = _silos.ClientOf(0), two = _silos.ClientOf(1), three = _silos.ClientOf(2);
        await one.CreateAsync(Key.Tenant, new CreateConversation { Id = Key.Id });
        TurnUsage first = (await SharedStore.SayAsync(one, Key, Long("Begun on the first."))).Usage;
        Assert.Equal((first.PromptTokens, 0), (first.ComputedTokens, first.Cached.Redis));
        await WrittenAsync(0, (first.PromptTokens + first.CompletionTokens - 1) / BlockSize);

        TurnUsage second = (await SharedStore.SayAsync(two, Key, Long("Continued on the second."))).Usage;
        AssertFoundInRedis(first, second);
        await WrittenAsync(1, (second.PromptTokens + second.CompletionTokens - 1) / BlockSize);
        AssertFoundInRedis(second, (await SharedStore.SayAsync(three, Key, Long("Ended on the third."))).Usage);
    }

    [Fact]
    public async Task ASystemPromptThatOneComputedNoOtherComputes()
    {
        int computed = 0, system = 0;
        for (int silo = 0; silo < 3; silo++)
        {
            HttpClient http = _silos.HttpOf(silo);
            var body = new JsonObject
            {
                ["messages"] = new JsonArray(
                    new JsonObject { ["role"] = "system", ["content"] = Long("Be brief.") },
                    new JsonObject { ["role"] = "user", ["content"] = $"{silo} asks." }),
                ["max_tokens"] = 1,
            };
            JsonObject answer = await http.PostAsync("/v1/chat/completions", body.ToJsonString());
            JsonNode info = answer["kvtiers"]!;
            Assert.Equal($"silo-{silo + 1}", (string)info["silo"]!);
            int prompt = (int)answer["usage"]!["prompt_tokens"]!;
            if (silo == 0)
            {
                Assert.Equal(prompt, (int)info["computed"]!);
                system = prompt;
                await WrittenAsync(0, prompt / BlockSize);
            }
            else
            {
                // All of the prompt but its end, which only this question has.
                Assert.InRange((int)info["cached"]!["redis"]!, system - (3 * BlockSize), prompt);
                Assert.Equal(prompt, (int)info["computed"]! + (int)info["cached"]!["redis"]!);
            }

            computed += (int)info["computed"]!;
        }

        Assert.InRange(computed, system, system + (2 * 3 * BlockSize));
    }

    // The sealed blocks of what the other server left; the rest is new, or was not yet a whole block.
    private static void AssertFoundInRedis(TurnUsage left, TurnUsage found)
    {
        int known = left.PromptTokens + left.CompletionTokens - 1;
        Assert.InRange(found.Cached.Redis, known / BlockSize * BlockSize, found.PromptTokens - 1);
        Assert.Equal(found.PromptTokens, found.Cached.Redis + found.ComputedTokens);
    }

    /// <summary>Waits until the server has written so many blocks to Redis.</summary>
    private async Task WrittenAsync(int silo, int blocks)
    {
        HttpClient http = _silos.HttpOf(silo);
        using var deadline = new CancellationTokenSource(HangLimit.Time);
        while (true)
        {
            JsonArray tiers = (await http.GetJsonAsync("/admin/tiers"))["colder"]!.AsArray();
            JsonNode redis = tiers.Single(tier => (string)tier!["name"]! == "redis")!;
            if ((long)redis["blocks"]! >= blocks) return;
            await Task.Delay(20, deadline.Token);
        }
    }

    private static string Long(string begin) => string.Join(' ', Enumerable.Repeat(begin, 20));
}
