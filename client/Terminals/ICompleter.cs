namespace KvTiers.Cli.Terminals;

/// <summary>Knows what a word may become when Tab is pressed.</summary>
internal interface ICompleter
{
    /// <summary>All words that may stand in the place of the last one of <paramref name="before"/>, each of which begins with it.</summary>
    /// <param name="before">The line up to the cursor.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    ValueTask<IReadOnlyList<string>> CompleteAsync(string before, CancellationToken cancellationToken);
}
