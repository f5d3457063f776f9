namespace KvTiers.Inference.Constraints.Schemas;

/// <summary>The formats of strings, as patterns that match a whole text.</summary>
/// <remarks>Each is a part of what its RFC allows, so that strict and lenient readers take it: years from 1000 to 9999, capital T and Z, no leap seconds.</remarks>
internal static class StringFormats
{
    private const string Date =
        "(?:[1-9]\\d{3}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|02-(?:0[1-9]|1\\d|2[0-8]))" +
        "|(?:[1-9]\\d(?:0[48]|[2468][048]|[13579][26])|(?:[2468][048]|[13579][26])00)-02-29)";

    private const string Clock = "(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,6})?";
    private const string Offset = "(?:Z|[+\\-](?:0\\d|1[0-3]):[0-5]\\d)";
    private const string Label = "[A-Za-z0-9](?:[A-Za-z0-9\\-]{0,60}[A-Za-z0-9])?";
    private const string Host = "(?:" + Label + "\\.){1,3}[A-Za-z]{2,6}";
    private const string Byte = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
    private const string Hex = "[0-9A-Fa-f]{1,4}";
    private const string UriCharacter = "(?:[A-Za-z0-9\\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})";

    private const string MailWord = "[A-Za-z0-9](?:[A-Za-z0-9_+\\-]{0,24}[A-Za-z0-9])?";

    private const string Ipv6 =
        "(?:(?:" + Hex + ":){7}" + Hex +
        "|(?:" + Hex + ":){1,7}:" +
        "|(?:" + Hex + ":){1,6}:" + Hex +
        "|(?:" + Hex + ":){1,5}(?::" + Hex + "){1,2}" +
        "|(?:" + Hex + ":){1,4}(?::" + Hex + "){1,3}" +
        "|(?:" + Hex + ":){1,3}(?::" + Hex + "){1,4}" +
        "|(?:" + Hex + ":){1,2}(?::" + Hex + "){1,5}" +
        "|" + Hex + ":(?::" + Hex + "){1,6}" +
        "|:(?:(?::" + Hex + "){1,7}|:))";

    private const string Duration =
        "P(?:\\d{1,4}W|(?:\\d{1,4}Y(?:\\d{1,4}M(?:\\d{1,4}D)?)?|\\d{1,4}M(?:\\d{1,4}D)?|\\d{1,4}D)(?:" + DurationTime + ")?|" + DurationTime + ")";

    private const string DurationTime = "T(?:\\d{1,4}H(?:\\d{1,4}M(?:\\d{1,4}S)?)?|\\d{1,4}M(?:\\d{1,4}S)?|\\d{1,4}S)";

    private static readonly Dictionary<string, string?> Patterns = new()
    {
        ["date"] = Date,
        ["time"] = Clock + Offset,
        ["date-time"] = Date + "T" + Clock + Offset,
        ["duration"] = Duration,
        ["email"] = MailWord + "(?:\\." + MailWord + ")?@[A-Za-z0-9](?:[A-Za-z0-9\\-]{0,30}[A-Za-z0-9])?(?:\\.[A-Za-z]{2,16}){1,3}",
        ["hostname"] = Host,
        ["ipv4"] = Byte + "(?:\\." + Byte + "){3}",
        ["ipv6"] = Ipv6,
        ["uuid"] = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
        ["uri"] = "https?://" + Host + "(?::[1-9]\\d{0,3})?(?:/" + UriCharacter + "*)*(?:\\?(?:" + UriCharacter + "|[/?])*)?(?:#(?:" + UriCharacter + "|[/?])*)?",

        // They say how a value is meant, not which characters it has.
        ["password"] = null,
        ["binary"] = null,
        ["path"] = null,
        ["file-path"] = null,
        ["directory-path"] = null,
    };

    /// <summary>All names.</summary>
    public static IEnumerable<string> Names => Patterns.Keys;

    /// <summary>Finds a format.</summary>
    /// <param name="name">The format's name.</param>
    /// <param name="pattern">What the whole text matches; null = anything.</param>
    /// <returns>False when the format is not known.</returns>
    public static bool TryFind(string name, out string? pattern) => Patterns.TryGetValue(name, out pattern);
}
