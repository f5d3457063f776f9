using KvTiers.Tests.Shared;

namespace KvTiers.Cluster.Tests;

/// <summary>How long faults last, and what load runs meanwhile.</summary>
/// <param name="Model">Folder of the model.</param>
/// <param name="Fault">How long something is away or hangs.</param>
/// <param name="Conversations">Conversations of the load.</param>
/// <param name="Turns">Turns of each.</param>
/// <param name="SystemTokens">Words of their system prompts.</param>
/// <param name="Think">Mean time between an answer and the next message.</param>
/// <param name="Recovery">How long after the last fault everything must be usable; in the short one only a hang is told from a busy machine.</param>
internal sealed record ChaosPlan(string Model, TimeSpan Fault, int Conversations, int Turns, int SystemTokens, TimeSpan Think, TimeSpan Recovery)
{
    /// <summary>The short one, or with <c>KVTIERS_CHAOS=full</c> the whole one.</summary>
    public static ChaosPlan Asked => Environment.GetEnvironmentVariable("KVTIERS_CHAOS") == "full"
        ? new(Repository.PathOf("models/demo"), TimeSpan.FromSeconds(10), 64, 8, 500, TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(30))
        : new(TestModels.Tiny, TimeSpan.FromSeconds(1.5), 16, 5, 100, TimeSpan.FromSeconds(1), HangLimit.Time);
}
