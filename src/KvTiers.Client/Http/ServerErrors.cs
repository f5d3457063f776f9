using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using KvTiers.Conversations;

namespace KvTiers.Client.Http;

/// <summary>Turns the server's errors back into the exceptions that the same call throws in process.</summary>
internal static partial class ServerErrors
{
    public static Exception ToException(ErrorDetail error, HttpStatusCode? status, TimeSpan? retryAfter, Subject? subject)
    {
        string message = error.Message is { Length: > 0 } text ? text : $"The server answered {(int?)status} without saying why.";
        return error.Code switch
        {
            "conversation_not_found" when subject is not null => new ConversationNotFoundException(subject.Key),
            "conversation_conflict" when subject is not null => new ConversationConflictException(subject.Key, message, subject.ExpectedVersion),
            "conversation_limit" when LimitMessage().Match(message) is { Success: true } limit =>
                new ConversationLimitException(limit.Groups["tenant"].Value, int.Parse(limit.Groups["most"].Value, CultureInfo.InvariantCulture)),
            "conversation_damaged" when DamageMessage().Match(message) is { Success: true } damage =>
                new ConversationDamagedException(damage.Groups["path"].Value, damage.Groups["reason"].Value),
            _ when IsBadInput(error, status) => new ArgumentException(message, error.Param),
            _ => new KvTiersServerException(message, status, error.Type, error.Code, retryAfter),
        };
    }

    // Inside a stream that has begun there is no status left to say it.
    private static bool IsBadInput(ErrorDetail error, HttpStatusCode? status) =>
        status is HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity || (status is null && error.Type == "invalid_request_error");

    // ConversationDamagedException's own words; its parts do not travel one by one.
    [GeneratedRegex("^The stored conversation '(?<path>.*?)' is damaged: (?<reason>.*)$", RegexOptions.Singleline)]
    private static partial Regex DamageMessage();

    [GeneratedRegex("^The tenant '(?<tenant>[^']*)' has as many conversations as it may have, (?<most>[0-9]{1,9})\\.")]
    private static partial Regex LimitMessage();
}
