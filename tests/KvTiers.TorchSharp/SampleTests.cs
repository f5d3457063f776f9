using KvTiers.Samples.TorchGenerate;
using KvTiers.TorchSharp.Models;

namespace KvTiers.TorchSharp.Tests;

/// <summary><c>samples/torch-generate</c>.</summary>
public sealed class SampleTests
{
    [Fact]
    public async Task ItShowsShapesTimesAndWhatTheTreeSaves()
    {
        Libtorch.Require();
        using var folder = new TemporaryFolder();
        var output = new StringWriter();
        string demo = Path.Combine(Repository.Root, "models", "demo");
        await new Sample(Settings.Read([demo, "--prompt-tokens", "50", "--new-tokens", "6", "--disk", folder.Path]), output).RunAsync();
        string[] lines = output.ToString().Split('\n');
        Assert.Contains("  step 0: 50 tokens in, past_key_values (2, 1, 2, 50, 48) a layer", lines);
        Assert.Contains("  step 1: 1 tokens in, past_key_values (2, 1, 2, 51, 48) a layer", lines);

        // With a cache 50 tokens and 5 more go through the model, without one 50 + 51 + … + 55.
        string[] digests = [.. new[] { "KvTiers: ", "cat: ", "off: " }.Select(way => Assert.Single(lines, line => line.TrimStart().StartsWith(way, StringComparison.Ordinal)))
            .Select((line, i) =>
            {
                Assert.Contains(i < 2 ? "55 tokens computed" : "315 tokens computed", line, StringComparison.Ordinal);
                return line[line.LastIndexOf(' ')..];
            })];
        Assert.Single(digests.Distinct());
        Assert.Contains(lines, line => line.StartsWith("first conversation: 0 of 50 prompt tokens found, 50 computed", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("second, the same prompt: 49 of 50 prompt tokens found, 1 computed", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("third, ten tokens from the end on edited: 40 of 50 prompt tokens found, 10 computed", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("after a restart, from disk: 48 of 50 prompt tokens found, 2 computed", StringComparison.Ordinal));
    }

    [Fact]
    public async Task DrawsAmongTheLikeliestAreTheSameForTheSameSeedWithAndWithoutACache()
    {
        Libtorch.Require();
        using TorchModel model = TorchModel.Load(Path.Combine(Repository.Root, "models", "demo"));
        int[] prompt = RandomFolder.Tokens(20, model.Config.Vocabulary);
        int[] Draw(long seed, Past? past)
        {
            using (past)
                return Generation.Generate(model, prompt, past, new GenerateOptions(12, TopK: 40, seed)).Tokens;
        }

        await using Tiers.TieredCache tiers = await CountedModel.OpenAsync(model.Config.CreateLayout(), 16);
        int[] expected = Draw(3, null);
        Assert.Equal(expected, Draw(3, await ModelTests.OpenAsync(model.Config, tiers, "draws", prompt)));
        Assert.NotEqual(expected, Draw(4, null));
    }

    [Theory]
    [InlineData("--rounds")]
    [InlineData("--rounds", "0")]
    [InlineData("--use-cache", "perhaps")]
    [InlineData("--speed", "11")]
    public void AnArgumentThatIsNotUnderstoodIsRefusedByName(params string[] args) =>
        Assert.StartsWith(args[0], Assert.Throws<ArgumentException>(() => Settings.Read(args)).Message, StringComparison.Ordinal);
}
