using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace KvTiers.Sessions.Access;

/// <summary>API keys as callers send them.</summary>
public static class ApiKey
{
    /// <summary>Bytes of a digest.</summary>
    public const int DigestLength = SHA256.HashSizeInBytes;

    private const string Prefix = "kvt-";
    private const int RandomBytes = 32;

    /// <summary>A new key: <c>kvt-</c> and 32 random bytes in base64url.</summary>
    public static string New() => Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(RandomBytes));

    /// <summary>What is kept of a key: SHA-256 of its UTF-8 bytes.</summary>
    public static byte[] Digest(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return SHA256.HashData(Encoding.UTF8.GetBytes(key));
    }
}
