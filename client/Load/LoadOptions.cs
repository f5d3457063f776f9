namespace KvTiers.Cli.Load;

/// <summary>What a load run does. The same values give the same messages, edits and choices of silo.</summary>
internal sealed record LoadOptions
{
    /// <summary>The silos; every turn goes to one drawn at random.</summary>
    public required IReadOnlyList<Uri> Urls { get; init; }

    /// <summary>API key for all of them; null = none.</summary>
    public string? ApiKey { get; init; }

    /// <summary>Conversations, 1 to 100,000.</summary>
    public int Conversations { get; init; } = 16;

    /// <summary>Turns of each, 1 to 1,000.</summary>
    public int Turns { get; init; } = 4;

    /// <summary>Words of a system prompt, 0 to 100,000; about as many tokens.</summary>
    public int SystemTokens { get; init; } = 200;

    /// <summary>Different system prompts, 1 to 10,000.</summary>
    public int Systems { get; init; } = 8;

    /// <summary>How unevenly conversations share them: the k-th is drawn with weight 1/k^zipf. 0 = evenly; at most 10.</summary>
    public double Zipf { get; init; } = 1;

    /// <summary>Words of a user's message, 1 to 100,000; about as many tokens.</summary>
    public int UserTokens { get; init; } = 40;

    /// <summary>Most tokens of an answer, 1 to 100,000.</summary>
    public int AnswerTokens { get; init; } = 32;

    /// <summary>Share of turns that edit an earlier message instead of adding one, 0 to 1.</summary>
    public double EditRate { get; init; } = 0.1;

    /// <summary>Mean time between an answer and the next message, exponentially distributed.</summary>
    public TimeSpan Think { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Conversations that begin in a second, whatever the others do (open loop); null: all begin at once (closed loop).</summary>
    public double? Rate { get; init; }

    /// <summary>Seed of all draws.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>How long a turn is tried again before it counts as failed.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>When the run ends, finished or not.</summary>
    public TimeSpan MaxTime { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Whether every answer is compared with what the same turns give with the cache off.</summary>
    public bool Verify { get; init; }
}
