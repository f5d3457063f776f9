namespace KvTiers.Cli.Load;

/// <summary>What one simulated user says: a system prompt shared with others, and steps.</summary>
internal sealed class LoadScript
{
    private static readonly string[] Words =
        ("the a one my your this some people work time day home city water paper river garden music story train house letter window winter summer morning evening " +
         "red blue green small large quiet early late good new old long short cold warm near far open write read ask tell find keep make take bring show plan learn " +
         "build change answer question number word line page book name order list part side end begin again then now here there with from for about after before").Split(' ');

    private LoadScript(string? system, IReadOnlyList<LoadStep> steps)
    {
        System = system;
        Steps = steps;
    }

    /// <summary>The system prompt; null = none.</summary>
    public string? System { get; }

    /// <summary>The turns in order.</summary>
    public IReadOnlyList<LoadStep> Steps { get; }

    /// <summary>The script of conversation number <paramref name="conversation"/>.</summary>
    public static LoadScript Draw(LoadOptions options, int conversation)
    {
        var random = new Random(HashCode(options.Seed, conversation));
        int system = DrawZipf(random, options.Systems, options.Zipf);
        var steps = new List<LoadStep>();
        int messages = 0;
        for (int turn = 0; turn < options.Turns; turn++)
        {
            int? replaces = messages > 0 && random.NextDouble() < options.EditRate ? random.Next(messages) : null;
            steps.Add(new LoadStep(Sentence(random, options.UserTokens) + "?", replaces));
            messages = (replaces ?? messages) + 1;
        }

        return new LoadScript(options.SystemTokens == 0 ? null : Sentence(new Random(HashCode(options.Seed, -1 - system)), options.SystemTokens) + ".", steps);
    }

    private static string Sentence(Random random, int words) => string.Join(' ', Enumerable.Range(0, words).Select(_ => Words[random.Next(Words.Length)]));

    private static int DrawZipf(Random random, int count, double exponent)
    {
        double left = random.NextDouble() * Enumerable.Range(1, count).Sum(rank => Math.Pow(rank, -exponent));
        int drawn = 0;
        while (drawn < count - 1 && (left -= Math.Pow(drawn + 1, -exponent)) >= 0)
            drawn++;
        return drawn;
    }

    // The framework's own HashCode differs from run to run.
    private static int HashCode(int seed, int number) => unchecked((seed * 486_187_739) + (number * 16_777_619) + 97);
}
