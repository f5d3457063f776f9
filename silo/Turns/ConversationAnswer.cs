using System.Runtime.CompilerServices;
using KvTiers.Conversations;

namespace KvTiers.Silo.Turns;

/// <summary>A conversation's turn as an answer.</summary>
internal static class ConversationAnswer
{
    /// <summary>Takes the turn.</summary>
    public static async IAsyncEnumerable<AnswerEvent> RunAsync(
        IConversations conversations, ConversationKey key, TurnRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (TurnEvent turn in conversations.TurnAsync(key, request, cancellationToken).WithCancellation(cancellationToken))
        {
            switch (turn)
            {
                case TurnToken token:
                    yield return new AnswerToken(0, token.TokenId, token.Text, token.LogProb);
                    break;
                case TurnCompleted completed:
                    yield return new AnswerEnd([completed.FinishReason], completed.Usage, completed.Conversation);
                    break;
            }
        }
    }
}
