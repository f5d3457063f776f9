namespace KvTiers.Silo.Configuration;

/// <summary>The settings of who may ask, and with which fields.</summary>
internal static class OriginSettings
{
    /// <summary>What a host must be.</summary>
    public const string HostRule = "a host name without a port, such as host.docker.internal, or *";

    /// <summary>What an origin must be.</summary>
    public const string OriginRule = "an origin such as https://example.com:8080, a scheme such as app://, null, or *";

    /// <summary>True for a host name, an address, or <c>*</c>.</summary>
    public static bool IsHost(string text) => text == "*" || Uri.CheckHostName(text) != UriHostNameType.Unknown;

    /// <summary>True for an origin, a scheme with its slashes, <c>null</c>, or <c>*</c>.</summary>
    public static bool IsOrigin(string text)
    {
        if (text is "*" or "null") return true;
        int scheme = text.IndexOf("://", StringComparison.Ordinal);
        if (scheme < 1 || !Uri.CheckSchemeName(text[..scheme])) return false;
        string rest = text[(scheme + 3)..].TrimEnd('/');
        return rest.Length == 0 || (Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) && uri.PathAndQuery is "/" or "" && uri.UserInfo.Length == 0 && rest.IndexOfAny(['/', '?', '#']) < 0);
    }

    /// <summary>Reads <c>refuse</c> or <c>ignore</c>.</summary>
    public static bool ParseUnknownFields(string text, out bool value)
    {
        value = text.Equals("ignore", StringComparison.OrdinalIgnoreCase);
        return value || text.Equals("refuse", StringComparison.OrdinalIgnoreCase);
    }
}
