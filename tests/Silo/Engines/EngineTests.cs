using System.Text.Json.Nodes;
using KvTiers.Silo.Configuration;

namespace KvTiers.Silo.Tests.Engines;

/// <summary>Two engines behind one API. <c>KVTIERS__ENGINE=torch</c> runs all other tests of this project over the second one; where it is set, it must be what answers.</summary>
public sealed class EngineTests : IDisposable
{
    private static readonly string[] Questions = ["Hello! My name is Marta and I live in Porto.", "What is my name?", "Where do I live?"];

    private readonly TemporaryFolder _folder = new();

    private static string Demo => ModelFolder.Find("models/demo")!;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task TheEngineThatIsAskedForAnswersAndIsReported()
    {
        string expected = Environment.GetEnvironmentVariable("KVTIERS__ENGINE") ?? "kvtiers";
        await using SiloProcess silo = await SiloProcess.StartReadyAsync(TestModels.Tiny, _folder.FullName);

        Assert.Equal(expected, (string)(await silo.Http.GetJsonAsync("/v1/models"))["data"]![0]!["engine"]!);
        Assert.Contains($"Engine {expected}: ", silo.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task BothGiveTheDemoModelsGreedyAnswers()
    {
        Assert.SkipUnless(EngineSettings.HasTorch, "Built without libtorch. To run it: dotnet test tests/Silo -c Release -p:Torch=cpu");
        string[] own = await TalkAsync("kvtiers"), torch = await TalkAsync("torch");

        Assert.Equal(own, torch);
        Assert.Contains("Marta", torch[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task WithoutLibtorchTheStartSaysHowToBuildIt()
    {
        Assert.SkipWhen(EngineSettings.HasTorch, "Built with libtorch.");
        await using var silo = SiloProcess.Start(_folder.FullName, "--model", TestModels.Tiny, "--engine", "torch");

        Assert.Equal(1, await silo.WaitForExitAsync());
        Assert.Equal(
            "kvtiers-silo: KvTiers:Engine = 'torch': must be kvtiers: this server was built without libtorch. "
            + "With it, torch is there too: dotnet run --project silo -c Release -p:Torch=cpu -- --engine torch.",
            silo.Errors.TrimEnd());
    }

    [Fact]
    public void WeightsThatTorchDoesNotHaveAreRefused()
    {
        SettingError error = Assert.Single(EngineSettings.Conflicts(new SiloOptions { Engine = EngineKind.Torch, Weights = Inference.Model.WeightFormat.Int8 }));

        Assert.Equal("KvTiers:Weights = 'int8': must be auto or f32 under the engine torch, which computes in 32-bit floats.", error.ToString());
        Assert.Empty(EngineSettings.Conflicts(new SiloOptions { Engine = EngineKind.Torch }));
    }

    // Each turn finds what the one before it computed: prompt tokens, cached tokens and text.
    private static async Task<string[]> TalkAsync(string engine)
    {
        await using SiloServer silo = await SiloServer.StartAsync("--model", Demo, "--engine", engine);
        var messages = new JsonArray();
        var answers = new List<string>();
        foreach (string question in Questions)
        {
            messages.Add(new JsonObject { ["role"] = "user", ["content"] = question });
            JsonObject answer = await silo.Http.PostAsync(
                "/v1/chat/completions", new JsonObject { ["messages"] = messages.DeepClone(), ["conversation"] = "talk", ["temperature"] = 0, ["max_tokens"] = 40 }.ToJsonString());
            string text = (string)answer["choices"]![0]!["message"]!["content"]!;
            messages.Add(new JsonObject { ["role"] = "assistant", ["content"] = text });
            answers.Add($"{answer["usage"]!["prompt_tokens"]}, {answer["usage"]!["prompt_tokens_details"]!["cached_tokens"]}: {text}");
        }

        return [.. answers];
    }
}
