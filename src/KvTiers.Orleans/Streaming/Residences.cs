using System.Collections.Concurrent;
using KvTiers.Conversations;
using KvTiers.Sessions.Hosting;

namespace KvTiers.Orleans.Streaming;

/// <summary>The conversations whose grains are active on this silo. Thread-safe.</summary>
internal sealed class Residences
{
    private readonly ConcurrentDictionary<ConversationKey, Residence> _all = [];

    /// <summary>The actors; null = the model still loads.</summary>
    public LocalConversations? Local { get; set; }

    /// <summary>Says that the conversation's grain is active here.</summary>
    public Residence Settle(ConversationKey key) => _all[key] = new();

    /// <summary>Gives the conversation's memory up, after the turns that run here.</summary>
    /// <param name="key">The conversation.</param>
    /// <param name="residence">Its residence.</param>
    /// <param name="cancellationToken">Ends the turns.</param>
    public async Task ReleaseAsync(ConversationKey key, Residence residence, CancellationToken cancellationToken)
    {
        await residence.CloseAsync(cancellationToken).ConfigureAwait(false);
        _all.TryRemove(new(key, residence));
        Local?.Release(key);
    }

    /// <summary>The residence of a conversation that is active here.</summary>
    public Residence? Of(ConversationKey key) => Local is null ? null : _all.GetValueOrDefault(key);
}
