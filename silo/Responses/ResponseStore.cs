using System.Runtime.CompilerServices;
using KvTiers.Conversations;
using KvTiers.Silo.Http;
using KvTiers.Silo.Models;
using KvTiers.Silo.Turns;

namespace KvTiers.Silo.Responses;

/// <summary>Finds stored responses, and takes the turns that store new ones: each is a conversation, which a following one forks.</summary>
internal sealed class ResponseStore(ModelHost host)
{
    private IConversations Conversations => host.Model.Conversations;

    /// <summary>A stored response.</summary>
    /// <param name="tenant">Whose.</param>
    /// <param name="id">Its id, as the caller sent it.</param>
    /// <param name="param">The parameter that it was sent in; null = the path.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="ApiException">404: there is none.</exception>
    public async Task<StoredResponse> FindAsync(string tenant, string id, string? param, CancellationToken cancellationToken)
    {
        if (ResponseId.Parse(id) is not { } parsed) throw NotFound(id, param);
        try
        {
            ConversationView view = await Conversations.GetAsync(new ConversationKey(tenant, parsed.Conversation), cancellationToken);
            return StoredResponse.In(view, parsed) ?? throw NotFound(id, param);
        }
        catch (ConversationNotFoundException e)
        {
            throw NotFound(id, param, e);
        }
    }

    /// <summary>The conversation that a response is to be a turn of; null = it begins with it.</summary>
    public async Task<ConversationView?> FindConversationAsync(string tenant, string id, CancellationToken cancellationToken)
    {
        try
        {
            return await Conversations.GetAsync(new ConversationKey(tenant, id), cancellationToken);
        }
        catch (ConversationNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Deletes a stored response, and every block that only it used.</summary>
    /// <exception cref="ApiException">404: there is none; 400: it is a turn of a conversation.</exception>
    public async Task DeleteAsync(string tenant, string id, CancellationToken cancellationToken)
    {
        StoredResponse stored = await FindAsync(tenant, id, null, cancellationToken);
        if (stored.Id.Message is not null)
            throw ApiException.BadRequest($"The response '{id}' is a turn of the conversation '{stored.View.Id}', and goes with it.", null, "response_in_conversation");
        await Conversations.DeleteAsync(new ConversationKey(tenant, stored.View.Id), cancellationToken);
    }

    /// <summary>Takes the turn of a response. One that comes to nothing leaves nothing stored.</summary>
    /// <param name="key">Where it is stored.</param>
    /// <param name="previous">The response that it follows, which is forked; null = none.</param>
    /// <param name="turn">The turn.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async IAsyncEnumerable<AnswerEvent> AnswerAsync(
        ConversationKey key, StoredResponse? previous, TurnRequest turn, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (previous is not null)
            await Conversations.ForkAsync(new ConversationKey(key.Tenant, previous.View.Id), new ForkRequest { At = previous.Index + 1, Id = key.Id }, cancellationToken);
        bool isStored = previous is null;
        try
        {
            await foreach (AnswerEvent answered in ConversationAnswer.RunAsync(Conversations, key, turn, cancellationToken))
            {
                isStored |= answered is AnswerEnd;
                yield return answered;
            }
        }
        finally
        {
            // Whoever asked is told what ended the turn; the fork alone would be a response without an answer.
            if (!isStored) await ((Task)Conversations.DeleteAsync(key, CancellationToken.None)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static ApiException NotFound(string id, string? param, Exception? inner = null) =>
        ApiException.NotFound($"There is no stored response '{id}'.", param, "response_not_found", inner);
}
