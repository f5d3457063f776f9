using System.Globalization;
using KvTiers.Cli.Terminals;
using KvTiers.Conversations;
using Spectre.Console;
using static System.FormattableString;

namespace KvTiers.Cli.Chat;

/// <summary>The chat's lists: conversations, and options.</summary>
internal static class ChatTables
{
    // About a screen.
    private const int FewConversations = 20;

    /// <param name="conversations">Last changed first.</param>
    /// <param name="current">The one that is marked.</param>
    /// <param name="isAll">Whether to write more than a screen.</param>
    /// <param name="terminal">Where to.</param>
    public static void Write(IReadOnlyList<ConversationSummary> conversations, string current, bool isAll, Terminal terminal)
    {
        Table table = Tables.Create("", "id", ">messages", ">tokens", "changed", "begins with");
        foreach (ConversationSummary one in conversations.Take(isAll ? int.MaxValue : FewConversations))
        {
            table.AddRow(
                one.Id == current ? "*" : "", Markup.Escape(one.Id), Invariant($"{one.MessageCount:N0}"), Invariant($"{one.TokenCount:N0}"),
                one.UpdatedAt.ToLocalTime().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture),
                Markup.Escape(OneLine(one.Damage is { } damage ? $"damaged: {damage}" : one.Title)));
        }

        terminal.Console.Write(table);
        if (!isAll && conversations.Count > FewConversations)
            terminal.WriteNote(Invariant($"and {conversations.Count - FewConversations:N0} more: /list all"));
    }

    /// <summary>All options, what they are, and what they may be.</summary>
    public static void Write(ChatOptions options, Terminal terminal)
    {
        Table table = Tables.Create("option", "is", "may be");
        foreach (ChatOption option in ChatOptions.All)
            table.AddRow(option.Name, Markup.Escape(option.Show(options) ?? (option.Name == "stats" ? "on" : ChatOptions.Default)), Markup.Escape(option.Rule));
        terminal.Console.Write(table);
    }

    // A stored text must not move the cursor.
    private static string OneLine(string text) => string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c));
}
