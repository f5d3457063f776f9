using KvTiers.Cli.Outcomes;
using KvTiers.Cli.Terminals;

namespace KvTiers.Cli.Chat;

/// <summary>Completes commands, the options of <c>/set</c> with their values, and the ids that <c>/switch</c> takes.</summary>
internal sealed class ChatCompleter(ChatSession session, ChatCommands commands) : ICompleter
{
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(2);

    public async ValueTask<IReadOnlyList<string>> CompleteAsync(string before, CancellationToken cancellationToken)
    {
        string[] words = before.TrimStart().Split([' ', '\t']);
        IEnumerable<string> known = words switch
        {
            [['/', ..]] => commands.All.Select(entry => "/" + entry.Name),
            ["/set", _] => ChatOptions.All.Select(option => option.Name),
            ["/set", var name, _] => ChatOptions.All.FirstOrDefault(option => option.Name == name)?.Values ?? [],
            ["/list", _] => ["all"],
            ["/switch", _] => await IdsAsync(cancellationToken).ConfigureAwait(false),
            _ => [],
        };
        return [.. known.Where(word => word.StartsWith(words[^1], StringComparison.Ordinal))];
    }

    // A server that does not answer must not hold up whoever types.
    private async Task<IEnumerable<string>> IdsAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(AnswerLimit);
        try
        {
            return (await session.ListAsync(limit.Token).ConfigureAwait(false)).Select(one => one.Id);
        }
        catch (Exception exception) when (Failures.Describe(exception) is not null || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return [];
        }
    }
}
