namespace KvTiers.Silo.Anthropic;

/// <summary>What became of a prompt's tokens. The three counts together are the whole prompt; those computed are <c>InputTokens</c> and those of <c>Creation</c>.</summary>
/// <param name="InputTokens">Computed, and after the last breakpoint that is kept.</param>
/// <param name="Creation">Computed, and before it: each counts for the first breakpoint after it.</param>
/// <param name="ReadTokens">Found in any tier of the cache, whether a breakpoint kept them or not.</param>
internal sealed record PromptUse(int InputTokens, CacheCreation Creation, int ReadTokens)
{
    /// <summary>Computed tokens before the last breakpoint that is kept.</summary>
    public int CreationTokens => Creation.FiveMinutes + Creation.OneHour;

    /// <summary>Shares a prompt's tokens out.</summary>
    /// <param name="prompt">The prompt.</param>
    /// <param name="tokens">Its ids.</param>
    /// <param name="kept">How many of its breakpoints are kept.</param>
    /// <param name="cachedTokens">How many of its leading tokens were found.</param>
    public static PromptUse Of(Prompt prompt, PromptTokens tokens, int kept, int cachedTokens)
    {
        int fiveMinutes = 0;
        int oneHour = 0;
        int done = cachedTokens;
        for (int i = 0; i < kept; i++)
        {
            int created = Math.Max(0, tokens.BreakpointEnds[i] - done);
            done += created;
            if (prompt.Breakpoints[i].TimeToLive == CacheTtl.Long) oneHour += created;
            else fiveMinutes += created;
        }

        return new PromptUse(tokens.Ids.Length - done, new CacheCreation(fiveMinutes, oneHour), cachedTokens);
    }
}
