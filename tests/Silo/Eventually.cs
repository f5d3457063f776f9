using KvTiers.Tests.Shared;

namespace KvTiers.Silo.Tests;

/// <summary>Waits for what another thread brings about.</summary>
internal static class Eventually
{
    /// <summary>Returns when the condition holds; fails when it never does.</summary>
    public static Task TrueAsync(Func<bool> condition) => TrueAsync(() => Task.FromResult(condition()));

    /// <summary>As above, of something that is asked for.</summary>
    public static async Task TrueAsync(Func<Task<bool>> condition)
    {
        using var deadline = new CancellationTokenSource(HangLimit.Time);
        while (!await condition())
        {
            Assert.False(deadline.IsCancellationRequested, "What was waited for did not come about.");
            await Task.Delay(5);
        }
    }
}
