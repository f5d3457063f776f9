using KvTiers.Conversations;

namespace KvTiers.Bench.Serving;

/// <summary>A figure counts only if the tokens came from where the row says.</summary>
internal static class PrefixPlaceCheck
{
    private const int BlockTokens = 16;

    /// <summary>What is wrong with where an answer's tokens came from; null when they came from the place.</summary>
    /// <param name="place">Where the prefix was put.</param>
    /// <param name="prefixTokens">Tokens that were put there.</param>
    /// <param name="answer">The answer.</param>
    /// <remarks>
    /// A block that the prefix does not fill is in no colder tier, and its tokens may be computed. Less than a block may be hot at any place but
    /// <see cref="PrefixPlace.Off"/>, and is then not counted for the other tier: all prompts begin with the same few tokens of the chat template.
    /// </remarks>
    public static string? Fault(PrefixPlace place, int prefixTokens, ServedAnswer answer)
    {
        CachedTokens cached = answer.Cached;
        int blocks = prefixTokens / BlockTokens * BlockTokens;
        bool right = place switch
        {
            PrefixPlace.Off => cached.Total == 0,
            PrefixPlace.Cold => cached.Hot < BlockTokens && cached.Total == cached.Hot,
            PrefixPlace.Hot => cached.Hot >= blocks && cached.Total == cached.Hot,
            PrefixPlace.Ram => IsFrom(cached.Ram),
            PrefixPlace.Disk => IsFrom(cached.Disk),
            _ => IsFrom(cached.Redis),
        };
        return right ? null : FormattableString.Invariant(
            $"{place}: of a prefix of {prefixTokens} tokens {cached.Hot} came from the hot tier, {cached.Ram} from RAM, {cached.Disk} from disk and {cached.Redis} from Redis.");

        bool IsFrom(int tokens) => cached.Hot < BlockTokens && tokens + cached.Hot >= blocks && tokens + cached.Hot == cached.Total;
    }
}
