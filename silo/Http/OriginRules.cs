using System.Net;
using KvTiers.Silo.Configuration;

namespace KvTiers.Silo.Http;

/// <summary>Which hosts a request may name, and which web pages may ask.</summary>
/// <remarks>Loopback names always. What else is a setting: <c>KvTiers:AllowedHosts</c>, and <c>KvTiers:Cors:Origins</c> with origins, whole schemes (<c>app://</c>), <c>null</c>, or <c>*</c> for all.</remarks>
internal sealed class OriginRules(SiloOptions options)
{
    private readonly HashSet<string> _hosts = new(options.AllowedHosts, StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> _origins = new(options.CorsOrigins.Select(origin => origin.TrimEnd('/')), StringComparer.OrdinalIgnoreCase);

    /// <summary>True when a request may name this host, without its port.</summary>
    public bool AllowsHost(string host) => IsLoopbackName(host) || _hosts.Contains("*") || _hosts.Contains(host);

    /// <summary>True when pages of this origin may ask.</summary>
    public bool AllowsOrigin(string origin)
    {
        if (_origins.Contains("*") || _origins.Contains(origin)) return true;
        int scheme = origin.IndexOf("://", StringComparison.Ordinal);
        // A setting of a scheme alone has lost its slashes above.
        if (scheme > 0 && _origins.Contains(origin[..(scheme + 1)])) return true;
        return Uri.TryCreate(origin, UriKind.Absolute, out Uri? uri) && IsLoopbackName(uri.Host);
    }

    private static bool IsLoopbackName(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? address) && IPAddress.IsLoopback(address));
}
