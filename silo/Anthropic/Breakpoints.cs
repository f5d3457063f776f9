using KvTiers.Prefix;
using KvTiers.Silo.Configuration;
using KvTiers.Silo.Models;

namespace KvTiers.Silo.Anthropic;

/// <summary>The cache breakpoints of all requests that this server answers.</summary>
internal sealed class Breakpoints(ModelHost host, SiloOptions options, ApiKeys keys, TimeProvider time)
{
    private readonly Lazy<PrefixPins> _pins = new(() =>
        new PrefixPins(host.Model.Cache, options.BreakpointShare, keys.Tenants.Count > 1 ? options.BreakpointShare / 2 : options.BreakpointShare, time));

    /// <summary>What is kept.</summary>
    public PrefixPins Pins => _pins.Value;

    /// <summary>Keeps what stands before a prompt's breakpoints. Called when the prompt is computed and, for its last, partly filled block, at the end of the answer.</summary>
    /// <param name="root">The namespace.</param>
    /// <param name="path">The prompt, or all that is computed of prompt and answer.</param>
    /// <param name="prompt">The prompt with its breakpoints.</param>
    /// <param name="tokens">Where these stand in its ids.</param>
    /// <returns>How many are kept: the first ones. One that has no room ends it, as those after it need more.</returns>
    public int Keep(BlockHash root, ReadOnlySpan<int> path, Prompt prompt, PromptTokens tokens)
    {
        int kept = 0;
        while (kept < prompt.Breakpoints.Count && Pins.TryKeep(root, path, tokens.BreakpointEnds[kept], prompt.Breakpoints[kept].TimeToLive)) kept++;
        return kept;
    }
}
