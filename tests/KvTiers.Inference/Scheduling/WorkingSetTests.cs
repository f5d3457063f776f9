using KvTiers.Inference.Scheduling;

namespace KvTiers.Inference.Tests.Scheduling;

/// <summary>
/// 64 conversations of six turns, all under way at once, with a tenth of their blocks hot: the same bits as with everything
/// hot, and not one token computed more.
/// </summary>
public sealed class WorkingSetTests(TinyModel tiny) : IClassFixture<TinyModel>, IDisposable
{
    private const int Conversations = 64;
    private const int Turns = 6;
    private const int AnswerTokens = 12;

    // Two blocks that all conversations begin with.
    private static readonly int[] SystemTokens = Requests.Tokens(32, 99);

    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(Conversations)]
    public async Task EachTurnComputesItsNewTokensAndNoOthers(int together)
    {
        GenerationResult[][] hot = await WithEverythingHot();
        int workingSet = WorkingSetBlocks(hot[^1]);
        await using var host = new TieredHost(
            tiny, workingSet / 10, format => [TieredHost.Ram(format, workingSet / 3), TieredHost.Disk(format, _folder)]);
        GenerationResult[][] actual = await Converse(batch => host.RunTogether(batch), together);
        Assert.All(host.Tiers.Usage, usage => Assert.Equal((usage.Name, 0, 0), (usage.Name, usage.DroppedBlocks, usage.Refusals)));

        for (int turn = 0; turn < Turns; turn++)
        {
            for (int i = 0; i < Conversations; i++)
            {
                (GenerationResult expected, GenerationResult result) = (hot[turn][i], actual[turn][i]);
                Requests.AssertSame(expected, result);
                Assert.Equal((turn, i, NewTokens(turn, i)), (turn, i, result.ComputedTokenCount));
                Assert.Equal((turn, i, 0), (turn, i, result.RecomputedTokenCount));
            }
        }

        foreach (string tier in (string[])["ram", "disk"])
            Assert.True(actual.SelectMany(results => results).Sum(result => result.PromotedTokenCounts[tier]) > 1000, $"{tier} was hardly used");
    }

    public void Dispose() => _folder.Dispose();

    private async Task<GenerationResult[][]> WithEverythingHot()
    {
        await using var host = new EngineHost(tiny.WithThreads(1), tiny.Tokenizer, blocks: 2048);
        return await Converse(host.RunTogether, together: 8);
    }

    /// <returns>[turn][conversation]</returns>
    private static async Task<GenerationResult[][]> Converse(Func<IEnumerable<GenerationRequest>, Task<GenerationResult[]>> run, int together)
    {
        List<int>[] logs = [.. Enumerable.Range(0, Conversations).Select(i => new List<int>([.. SystemTokens, .. Requests.Tokens(FirstLength(i), i)]))];
        await run([Requests.Of(SystemTokens, newTokens: 0)]);
        GenerationResult[][] results = [.. Enumerable.Range(0, Turns).Select(_ => new GenerationResult[Conversations])];
        for (int turn = 0; turn < Turns; turn++)
        {
            // There and back, so that some come again soon and others late.
            IEnumerable<int> order = Enumerable.Range(0, Conversations);
            foreach (int[] batch in (turn % 2 == 0 ? order : order.Reverse()).Chunk(together))
            {
                if (turn > 0)
                {
                    foreach (int i in batch)
                        logs[i].AddRange(Requests.Tokens(MessageLength(turn, i), 1000 + (turn * 100) + i));
                }

                GenerationResult[] answers = await run(batch.Select(i => Requests.Of([.. logs[i]], AnswerTokens)));
                foreach ((int i, GenerationResult answer) in batch.Zip(answers))
                {
                    logs[i].AddRange(answer.Choices[0].TokenIds);
                    results[turn][i] = answer;
                }
            }
        }

        return results;
    }

    // An answer's last token was sampled and not computed, so the next turn begins with it.
    private static int NewTokens(int turn, int conversation) => turn > 0 ? MessageLength(turn, conversation) + 1 : FirstLength(conversation);

    private static int FirstLength(int conversation) => 40 + (conversation * 7 % 60);

    private static int MessageLength(int turn, int conversation) => 5 + ((turn + conversation) % 9);

    private static int WorkingSetBlocks(GenerationResult[] last)
    {
        int system = SystemTokens.Length / 16;
        return system + last.Sum(result => ((result.PromptTokenCount + AnswerTokens + 15) / 16) - system);
    }
}
