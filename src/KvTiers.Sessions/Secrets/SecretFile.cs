using KvTiers.Sessions.Storage;

namespace KvTiers.Sessions.Secrets;

/// <summary>A secret of 32 bytes in a file that only its owner may read: 64 hexadecimal characters, as an operator can copy them.</summary>
public static class SecretFile
{
    /// <summary>The secret in a file; null = there is no such file.</summary>
    /// <exception cref="FormatException">It holds something else. What it holds is not in the message.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static byte[]? Read(string path)
    {
        string text;
        try
        {
            text = File.ReadAllText(path);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }

        return TryParse(text, out byte[]? secret) ? secret : throw new FormatException($"The file '{path}' does not hold a secret of {2 * TenantSalts.ByteCount} hexadecimal characters.");
    }

    /// <summary>Writes the secret, whole or not at all, in place of what is there.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static void Write(string path, ReadOnlySpan<byte> secret) => AtomicFile.Write(path, Bytes(secret), sync: true);

    /// <summary>The secret in a file, or this one where there was none: of several processes that begin at once all have the same.</summary>
    /// <exception cref="FormatException">It holds something else.</exception>
    /// <exception cref="IOException">It cannot be read or written.</exception>
    public static byte[] ReadOrCreate(string path, byte[] secret)
    {
        if (Read(path) is { } there)
            return there;
        return AtomicFile.TryCreate(path, Bytes(secret), sync: true) ? secret : Read(path)!;
    }

    /// <summary>Reads a secret as text.</summary>
    public static bool TryParse(string text, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out byte[]? secret)
    {
        ArgumentNullException.ThrowIfNull(text);
        string digits = text.Trim();
        secret = digits.Length == 2 * TenantSalts.ByteCount && digits.All(char.IsAsciiHexDigit) ? Convert.FromHexString(digits) : null;
        return secret is not null;
    }

    private static byte[] Bytes(ReadOnlySpan<byte> secret) => [.. System.Text.Encoding.ASCII.GetBytes(Convert.ToHexStringLower(secret)), (byte)'\n'];
}
