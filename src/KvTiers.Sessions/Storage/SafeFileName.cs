using System.Security.Cryptography;
using System.Text;

namespace KvTiers.Sessions.Storage;

/// <summary>
/// File names for tenants and ids. Short lower-case ones stay readable; what a file system might fold, reserve or refuse becomes a hash.
/// The prefix keeps the two apart, and reserved names (<c>..</c>, <c>nul</c>) away.
/// </summary>
internal static class SafeFileName
{
    private const int MaxReadableLength = 100;

    public static string For(string name)
    {
        bool readable = name.Length <= MaxReadableLength && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_' or '.');
        return readable ? "n-" + name : "h-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)));
    }
}
