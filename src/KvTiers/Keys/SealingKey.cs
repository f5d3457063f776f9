using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace KvTiers.Keys;

/// <summary>AES-256-GCM under one derived key: authentication codes of bytes that stay as they are (GMAC), and encryption.</summary>
/// <remarks>
/// Thread-safe. Whoever writes uses each nonce once under one key. Long input is hashed here where the processor can (<see cref="Ghash"/>), several times as fast
/// as by the platform; the bits are the same.
/// </remarks>
internal sealed class SealingKey
{
    public const int NonceBytes = 12;
    public const int TagBytes = 16;

    // Shorter input is done before the tables of powers are in the cache.
    private const int LeastHashed = 1024;

    private readonly byte[] _key;
    private readonly ConcurrentBag<AesGcm> _ciphers = [];
    private readonly Ghash? _hash;

    /// <param name="key"><see cref="RecordKey.ByteCount"/> bytes.</param>
    /// <param name="hashesHere">False leaves all hashing to the platform.</param>
    public SealingKey(byte[] key, bool hashesHere = true)
    {
        _key = key;
        if (!hashesHere || !Ghash.IsSupported)
            return;
        using Aes aes = Aes.Create();
        aes.Key = key;
        _hash = new Ghash(aes.EncryptEcb(new byte[Ghash.BlockBytes], PaddingMode.None));
    }

    /// <summary>The authentication code of bytes.</summary>
    /// <param name="nonce"><see cref="NonceBytes"/> that no other call under this key has.</param>
    /// <param name="data">What is authenticated.</param>
    /// <param name="tag">Takes <see cref="TagBytes"/>.</param>
    public void Authenticate(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> data, Span<byte> tag)
    {
        AesGcm cipher = Rent();
        if (_hash is null || data.Length < LeastHashed)
        {
            cipher.Encrypt(nonce, [], [], tag, data);
        }
        else
        {
            // Of nothing the hash is zero, and the code is what masks it.
            cipher.Encrypt(nonce, [], [], tag);
            _hash.Mask(data, tag);
        }

        _ciphers.Add(cipher);
    }

    /// <summary>Whether the code of bytes is this one.</summary>
    public bool IsAuthentic(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> data, ReadOnlySpan<byte> tag)
    {
        Span<byte> computed = stackalloc byte[TagBytes];
        Authenticate(nonce, data, computed);
        return CryptographicOperations.FixedTimeEquals(computed, tag);
    }

    /// <summary>Encrypts; source and destination may be the same bytes.</summary>
    public void Encrypt(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> source, Span<byte> destination, Span<byte> tag, ReadOnlySpan<byte> associated = default)
    {
        AesGcm cipher = Rent();
        cipher.Encrypt(nonce, source, destination, tag, associated);
        _ciphers.Add(cipher);
    }

    /// <summary>Decrypts what is authentic; source and destination may be the same bytes. What is not leaves the destination without meaning.</summary>
    public bool TryDecrypt(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> source, Span<byte> destination, ReadOnlySpan<byte> tag, ReadOnlySpan<byte> associated = default)
    {
        AesGcm cipher = Rent();
        try
        {
            cipher.Decrypt(nonce, source, tag, destination, associated);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
        finally
        {
            _ciphers.Add(cipher);
        }
    }

    // One cipher does one thing at a time.
    private AesGcm Rent() => _ciphers.TryTake(out AesGcm? cipher) ? cipher : new AesGcm(_key, TagBytes);
}
