namespace KvTiers.Inference.Scheduling;

/// <summary>How the engine shares its steps between requests.</summary>
public sealed record EngineOptions
{
    /// <summary>Rows computed in one step at most, decode and prefill together; 1 to 65,536. Default 640.</summary>
    public int MaxTokensPerStep { get; init; } = 640;

    /// <summary>Prompt tokens of one request computed in one step at most; 1 to 65,536. Below MaxTokensPerStep, a short prompt passes beside a long one. Default 512.</summary>
    public int PrefillChunk { get; init; } = 512;

    /// <summary>
    /// How much longer prompts may make a step while answers are running, 1 ms to 10 s: an answer's next token waits no longer than that for another's prompt,
    /// as far as the measured speed of prefill says. Default 200 ms.
    /// </summary>
    public TimeSpan MaxPrefillDelay { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Sequences (choices) computed side by side at most; 1 to 4,096, and no more than MaxTokensPerStep, so that each gets its row. Default 64.</summary>
    public int MaxRunning { get; init; } = 64;

    /// <summary>
    /// Sequences that may be in the engine beside the <see cref="MaxRunning"/> that run; 1 or more. A request counts as many as it has choices, or beams, from its
    /// submission to its end. One that finds no room is refused with <see cref="EngineBusyException"/>. Default 1,024.
    /// </summary>
    public int MaxWaiting { get; init; } = 1024;

    /// <summary>
    /// The weight of a tenant (<see cref="GenerationRequest.Tenant"/>) beside one of weight 1: a number above 0; infinite for one that shares with nobody. It bounds
    /// what the tenant may have in the engine (<see cref="TenantPlaces"/>) and says how steps are shared. Called on any thread, and not to throw. Null, the default: tenants
    /// weigh the same, and one may fill the engine.
    /// </summary>
    public Func<string, double>? WeightOf { get; init; }

    /// <summary>
    /// Told what each request took when it has ended, in whatever way: its tenant, and tokens of the prompt that were computed plus tokens generated (of every beam). Called
    /// on the engine's thread, so it must be quick. Null, the default: nobody is told.
    /// </summary>
    public Action<string, long>? Ended { get; init; }

    /// <summary>Checks every range.</summary>
    /// <exception cref="ArgumentException">A value is out of range; the message names property, value and rule, the parameter name is the property.</exception>
    public void Validate()
    {
        Check(MaxTokensPerStep is >= 1 and <= 65536, nameof(MaxTokensPerStep), MaxTokensPerStep, "from 1 to 65536");
        Check(PrefillChunk is >= 1 and <= 65536, nameof(PrefillChunk), PrefillChunk, "from 1 to 65536");
        Check(
            MaxPrefillDelay >= TimeSpan.FromMilliseconds(1) && MaxPrefillDelay <= TimeSpan.FromSeconds(10),
            nameof(MaxPrefillDelay), MaxPrefillDelay, "from 1 ms to 10 s");
        Check(MaxRunning is >= 1 and <= 4096, nameof(MaxRunning), MaxRunning, "from 1 to 4096");
        Check(MaxRunning <= MaxTokensPerStep, nameof(MaxRunning), MaxRunning, $"at most MaxTokensPerStep ({MaxTokensPerStep})");
        Check(MaxWaiting >= 1, nameof(MaxWaiting), MaxWaiting, "1 or more");
    }

    private static void Check(bool holds, string property, object value, string rule)
    {
        if (!holds)
            throw new ArgumentException($"{property} is {value}; it must be {rule}.", property);
    }
}
