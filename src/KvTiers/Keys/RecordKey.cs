using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace KvTiers.Keys;

/// <summary>A secret that only those have who may write records. What it authenticates or encrypts, it does with keys that are derived from it.</summary>
/// <remarks>Thread-safe. It shows nothing of the secret: its <see cref="Id"/> is derived from it one way.</remarks>
public sealed class RecordKey
{
    /// <summary>Bytes of the secret.</summary>
    public const int ByteCount = 32;

    private readonly byte[] _secret;

    /// <summary>A key.</summary>
    /// <param name="secret"><see cref="ByteCount"/> random bytes.</param>
    /// <exception cref="ArgumentException">The secret has another length.</exception>
    public RecordKey(ReadOnlySpan<byte> secret)
    {
        if (secret.Length != ByteCount)
            throw new ArgumentException($"The secret has {secret.Length} bytes; it must have {ByteCount}.", nameof(secret));
        _secret = secret.ToArray();
        Id = Math.Max(1, BinaryPrimitives.ReadUInt32LittleEndian(Derive("KvTiers key id", [])));
    }

    /// <summary>Names the key in what it wrote; above zero. Two keys have the same by chance only, which costs a check that fails.</summary>
    public uint Id { get; }

    /// <summary>Another secret, which tells nothing of this one: HKDF-SHA256.</summary>
    /// <param name="purpose">What it is for: other purposes give other secrets.</param>
    /// <param name="salt">Makes it another for each salt.</param>
    /// <returns><see cref="ByteCount"/> bytes.</returns>
    public byte[] Derive(string purpose, ReadOnlySpan<byte> salt)
    {
        ArgumentException.ThrowIfNullOrEmpty(purpose);
        byte[] derived = new byte[ByteCount];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, _secret, derived, salt, Encoding.UTF8.GetBytes(purpose));
        return derived;
    }

    /// <inheritdoc/>
    public override string ToString() => $"key {Id:x8}";
}
