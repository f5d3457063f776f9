using KvTiers.Conversations;
using StackExchange.Redis;

namespace KvTiers.Sessions.Redis;

/// <content>
/// Whether Redis answers, and whether it takes changes. One that is full, or cannot save, goes on to answer what is read: only a change that it takes tells
/// that it is whole again.
/// </content>
public sealed partial class RedisConversationStore
{
    // So many keys lie on every node of a cluster.
    private const int TrialKeys = 32;

    private static readonly (string Error, string Cause)[] Refusals =
    [
        ("OOM command not allowed", "its memory is full (maxmemory), and nothing in it may be evicted"),
        ("MISCONF", "it cannot save to its disk (MISCONF)"),
        ("NOREPLICAS", "it has too few replicas (NOREPLICAS)"),
        ("READONLY", "it is a replica (READONLY)"),
    ];

    private volatile string? _refusal;

    /// <summary>Whether the last call failed; of a cluster, whether one did since all nodes were well. It is tried again in the background, so that recovery needs no request.</summary>
    public bool IsFailing => _isFailing || _refusal is not null;

    /// <inheritdoc/>
    public string? Failure => _isFailing ? "The conversation store on Redis does not answer." : _refusal;

    // What a server says of itself may be shown; what the client says of its connections has addresses in it, and is the inner exception's.
    private ConversationStoreUnavailableException Unavailable(Exception fault)
    {
        if (fault is RedisServerException && Array.Find(Refusals, refusal => fault.Message.Contains(refusal.Error, StringComparison.Ordinal)) is { Cause: { } cause })
        {
            string refusal = $"The conversation store on Redis takes no changes: {cause}.";
            _refusal = refusal;
            return new ConversationStoreUnavailableException(refusal, fault);
        }

        _isFailing = true;
        string what = fault is RedisServerException ? $"refused: {fault.Message}" : FormattableString.Invariant($"did not answer within {_options.Deadline.TotalSeconds:0.###} s");
        return new ConversationStoreUnavailableException($"The conversation store on Redis {what}.", fault);
    }

    private async void Probe()
    {
        LookNowAndThen();
        try
        {
            if (_isFailing)
                _isFailing = !await CallAsync(AreWellAsync, CancellationToken.None).ConfigureAwait(false);
            if (_refusal is not null && await CallAsync(TakesChangesAsync, CancellationToken.None).ConfigureAwait(false))
                _refusal = null;
        }
        catch (Exception fault) when (fault is ConversationStoreUnavailableException or ArgumentException)
        {
            // Not back yet.
        }
    }

    private async Task<bool> TakesChangesAsync()
    {
        bool[] taken = await Task.WhenAll(Enumerable.Range(0, TrialKeys).Select(i => Database.StringSetAsync($"{_options.KeyPrefix}//trial/{i}", "", TimeSpan.FromMinutes(1)))).ConfigureAwait(false);
        return Array.TrueForAll(taken, isTaken => isTaken);
    }
}
