namespace KvTiers.Sessions.Secrets;

/// <summary>Makes settings that hold a password fit to be shown: in a message, a log, a metric.</summary>
/// <remarks>
/// What is not known to be harmless is taken for a secret: of a connection string only addresses and a few settings stay. A password may hold a comma, at which
/// a connection string is cut, so nothing after it is believed to be an address.
/// </remarks>
public static class Redacted
{
    /// <summary>What stands in the place of a secret.</summary>
    public const string Mark = "***";

    private static readonly HashSet<string> Harmless = new(
        [
            "abortConnect", "allowAdmin", "asyncTimeout", "channelPrefix", "checkCertificateRevocation", "connectRetry", "connectTimeout", "configCheckSeconds",
            "defaultDatabase", "keepAlive", "name", "protocol", "resolveDns", "serviceName", "ssl", "sslHost", "sslProtocols", "syncTimeout", "tieBreaker", "version",
        ],
        StringComparer.OrdinalIgnoreCase);

    /// <summary>A connection string without its secrets.</summary>
    public static string ConnectionString(string? configuration) => configuration is null ? "" : Split(configuration).Shown;

    /// <summary>A text, such as an exception's, without the secrets of the connection strings that it may quote.</summary>
    public static string Message(string message, params ReadOnlySpan<string?> configurations)
    {
        ArgumentNullException.ThrowIfNull(message);
        foreach (string? configuration in configurations)
        {
            if (configuration is null)
                continue;
            message = message.Replace(configuration, ConnectionString(configuration), StringComparison.Ordinal);
            foreach (string secret in Split(configuration).Secrets.OrderByDescending(secret => secret.Length))
                message = message.Replace(secret, Mark, StringComparison.Ordinal);
        }

        return message;
    }

    /// <summary>An exception to be the inner one of another; null when it, or what it carries, quotes a secret of the connection string.</summary>
    public static Exception? Inner(Exception exception, string? configuration)
    {
        ArgumentNullException.ThrowIfNull(exception);
        string text = exception.ToString();
        return Message(text, configuration) == text ? exception : null;
    }

    private static (string Shown, List<string> Secrets) Split(string configuration)
    {
        List<string> shown = [], secrets = [];
        bool afterSecret = false;
        foreach (string part in configuration.Split(','))
        {
            int equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0 && afterSecret)
            {
                Hide(part);
                shown.Add(Mark);
            }
            else if (equals < 0)
            {
                shown.Add(Address(part));
            }
            else if (Harmless.Contains(part[..equals].Trim()) && !part.Contains('@', StringComparison.Ordinal))
            {
                shown.Add(part);
            }
            else
            {
                Hide(part[(equals + 1)..]);
                shown.Add(part[..equals] + "=" + Mark);
                afterSecret = true;
            }
        }

        return (string.Join(',', shown), secrets);

        // redis://user:password@host:port
        string Address(string part)
        {
            int at = part.LastIndexOf('@');
            if (at < 0)
                return part;
            int scheme = part.IndexOf("://", StringComparison.Ordinal);
            int start = scheme < 0 || scheme > at ? 0 : scheme + 3;
            string user = part[start..at];
            Hide(user);
            foreach (string piece in user.Split(':'))
                Hide(piece);
            return part[..start] + Mark + part[at..];
        }

        void Hide(string secret)
        {
            if (!string.IsNullOrWhiteSpace(secret))
                secrets.Add(secret.Trim());
        }
    }
}
