using System.Globalization;
using KvTiers.Conversations;

namespace KvTiers.Silo.Http;

/// <summary>What a query asks of a list of conversations.</summary>
internal static class ListQuery
{
    /// <summary>Most of a page.</summary>
    /// <exception cref="ApiException">400: it is no number in range.</exception>
    public static int Limit(HttpRequest request)
    {
        string? text = request.Query["limit"].FirstOrDefault();
        if (text is null) return ConversationPage.DefaultLimit;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int limit) && limit is >= 1 and <= ConversationPage.MaxLimit
            ? limit
            : throw ApiException.BadRequest($"'limit' is '{text}'; it must be a whole number from 1 to {ConversationPage.MaxLimit}.", "limit");
    }

    /// <summary>The id after which the page begins; null = at the beginning.</summary>
    public static string? After(HttpRequest request) => request.Query["after"].FirstOrDefault();
}
