using KvTiers.Samples.TorchGenerate;
using KvTiers.Tiers;
using KvTiers.Tiers.Disk;
using KvTiers.TorchSharp.Models;

namespace KvTiers.TorchSharp.Tests;

/// <summary>What is computed is exactly what is new, and the greedy tokens are those without a cache.</summary>
public sealed class ConversationTests : IDisposable
{
    private const int Answer = 12;
    private static readonly GenerateOptions Options = new(Answer);
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Models => ["demo", "tiny-gpt2"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Models))]
    public async Task ASecondConversationComputesWhatItsPromptDoesNotShare(string name)
    {
        Libtorch.Require();
        using TorchModel model = Load(name);
        await using TieredCache tiers = await OpenAsync(model);
        int[] first = RandomFolder.Tokens(100, model.Config.Vocabulary), second = [.. first[..77], .. RandomFolder.Tokens(20, model.Config.Vocabulary, seed: 5)];
        await AnswerAsync(model, tiers, first, found: 0);
        await AnswerAsync(model, tiers, second, found: 77);
        int[] answered = await AnswerAsync(model, tiers, first, found: 99);

        // The next turn goes on after the answer, whose last token was never computed.
        await AnswerAsync(model, tiers, [.. first, .. answered, 7, 8, 9], found: 100 + Answer - 1);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public async Task AnEditComputesFromTheFirstDifferingToken(string name)
    {
        Libtorch.Require();
        using TorchModel model = Load(name);
        await using TieredCache tiers = await OpenAsync(model);
        int[] prompt = RandomFolder.Tokens(90, model.Config.Vocabulary), edited = [.. prompt];
        edited[53] ^= 1;
        using TieredPast past = await ModelTests.OpenAsync(model.Config, tiers, name, prompt);
        Assert.Equal(90 + Answer - 1, Generation.Generate(model, prompt, past, Options).ComputedTokens);
        Assert.Equal(53, await past.Cache.EditAsync(0, edited));
        Check(model, edited, past, computed: 90 - 53);
        Assert.Equal(89, await past.Cache.EditAsync(0, prompt));
        Check(model, prompt, past, computed: 1);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public async Task ARestartReadsFromDiskWhatWasComputedBefore(string name)
    {
        Libtorch.Require();
        using TorchModel model = Load(name);
        int[] prompt = RandomFolder.Tokens(90, model.Config.Vocabulary);
        int[] answered;
        await using (TieredCache tiers = await OpenAsync(model))
        {
            answered = await AnswerAsync(model, tiers, prompt, found: 0);
            await tiers.FlushAsync(CancellationToken.None);
        }

        await using TieredCache reopened = await OpenAsync(model);
        await AnswerAsync(model, reopened, [.. prompt, .. answered, 4, 5], found: 90 + Answer - 1);
        Assert.Equal(7, reopened.Promotions.LoadedBlocks);
    }

    private TorchModel Load(string name)
    {
        using var folder = new TemporaryFolder();
        return TorchModel.Load(RandomFolder.Write(name, folder.Path));
    }

    private Task<TieredCache> OpenAsync(TorchModel model) => CountedModel.OpenAsync(model.Config.CreateLayout(), 64, TierOptions.Disk(new DiskStoreOptions
    {
        Folder = _folder.Path,
        CapacityBytes = 64 << 20,
        SegmentBytes = 4 << 20,
    }));

    private static async Task<int[]> AnswerAsync(TorchModel model, TieredCache tiers, int[] prompt, int found)
    {
        using TieredPast past = await ModelTests.OpenAsync(model.Config, tiers, "conversation", prompt);
        Assert.Equal(found, past.Length);
        int[] tokens = Check(model, prompt, past, prompt.Length - found);
        past.Cache.Publish();
        return tokens;
    }

    private static int[] Check(TorchModel model, int[] prompt, TieredPast past, int computed)
    {
        GenerateResult result = Generation.Generate(model, prompt, past, Options);
        Assert.Equal(computed + Answer - 1, result.ComputedTokens);
        Assert.Equal(Generation.Generate(model, prompt, past: null, Options).Tokens, result.Tokens);
        return result.Tokens;
    }
}
