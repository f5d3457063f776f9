using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace KvTiers.Prefix;

/// <summary>SHA-256 of short messages, where the framework's own call costs several times the hashing.</summary>
/// <remarks>
/// <see cref="SHA256.HashData(ReadOnlySpan{byte}, Span{byte})"/> asks OpenSSL for the algorithm anew each time. Where OpenSSL 3 is at hand, its plain functions
/// are called instead; they give the same bytes, which is checked once before they are used. Elsewhere the framework's call serves.
/// </remarks>
internal static unsafe class Sha256
{
    public const int ByteCount = SHA256.HashSizeInBytes;

    // SHA256_CTX has 112 bytes.
    private const int ContextBytes = 128;

    private static readonly Functions? Native = Load();

    /// <summary>Writes the digest of a message.</summary>
    public static void HashData(ReadOnlySpan<byte> message, Span<byte> digest)
    {
        if (Native is null) SHA256.HashData(message, digest);
        else Native.Hash(message, digest[..ByteCount]);
    }

    private static Functions? Load()
    {
        if (!OperatingSystem.IsLinux() || !NativeLibrary.TryLoad("libcrypto.so.3", out nint library)) return null;
        if (!NativeLibrary.TryGetExport(library, "SHA256_Init", out nint init)
            || !NativeLibrary.TryGetExport(library, "SHA256_Update", out nint update)
            || !NativeLibrary.TryGetExport(library, "SHA256_Final", out nint final)) return null;
        var functions = new Functions(init, update, final);
        Span<byte> digest = stackalloc byte[ByteCount];
        functions.Hash("KvTiers"u8, digest);
        return digest.SequenceEqual(SHA256.HashData("KvTiers"u8)) ? functions : null;
    }

    // Each call takes less than a microsecond, so it need not let the garbage collector in.
    private sealed class Functions(nint init, nint update, nint final)
    {
        private readonly delegate* unmanaged[SuppressGCTransition]<byte*, int> _init = (delegate* unmanaged[SuppressGCTransition]<byte*, int>)init;
        private readonly delegate* unmanaged[SuppressGCTransition]<byte*, byte*, nuint, int> _update =
            (delegate* unmanaged[SuppressGCTransition]<byte*, byte*, nuint, int>)update;
        private readonly delegate* unmanaged[SuppressGCTransition]<byte*, byte*, int> _final =
            (delegate* unmanaged[SuppressGCTransition]<byte*, byte*, int>)final;

        public void Hash(ReadOnlySpan<byte> message, Span<byte> digest)
        {
            byte* context = stackalloc byte[ContextBytes];
            fixed (byte* source = message, target = digest)
            {
                if (_init(context) != 1 || _update(context, source, (nuint)message.Length) != 1 || _final(target, context) != 1)
                    throw new CryptographicException("OpenSSL refused to compute SHA-256.");
            }
        }
    }
}
