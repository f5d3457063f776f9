using KvTiers.Client;
using KvTiers.Conversations;
using Microsoft.Extensions.Options;

namespace KvTiers.Cli.Outcomes;

/// <summary>Which exceptions are the user's business, and in what words.</summary>
internal static class Failures
{
    /// <summary>One line for an expected failure; <see langword="null"/> for a fault of the program, which keeps its stack trace.</summary>
    public static string? Describe(Exception exception) => exception switch
    {
        // ArgumentException appends "(Parameter 'x')", which is a name from the code.
        ArgumentException { ParamName: { } parameter } => exception.Message.Replace($" (Parameter '{parameter}')", "", StringComparison.Ordinal),
        // Its own message says only that something happened.
        HttpRequestException { StatusCode: null, InnerException: { } inner } and not KvTiersServerException =>
            "The server did not answer: " + inner.GetBaseException().Message,
        CliException or ArgumentException or IOException or UnauthorizedAccessException or HttpRequestException or TimeoutException
            or ConversationNotFoundException or ConversationConflictException or ConversationDamagedException or ConversationLimitException
            or OptionsValidationException => exception.Message,
        _ => null,
    };
}
