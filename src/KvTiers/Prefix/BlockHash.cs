using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using KvTiers.Blocks;

namespace KvTiers.Prefix;

/// <summary>The prefix hash: names a block by everything before it and in it. 32 bytes, the same on every machine, always.</summary>
/// <remarks>
/// Root = SHA-256(format version ‖ model fingerprint ‖ shape ‖ tenant salt ‖ losses); a block = SHA-256(parent ‖ its token ids as little-endian
/// int32). The exact bytes are in <c>docs/block-format.md</c>. Hashes order as their bytes do, first byte first.
/// </remarks>
[StructLayout(LayoutKind.Sequential)]
public readonly struct BlockHash : IEquatable<BlockHash>, IComparable<BlockHash>
{
    /// <summary>Bytes of a hash.</summary>
    public const int ByteCount = 32;

    /// <summary>The version of in-block layout and hash derivation that <see cref="Root"/> mixes in.</summary>
    internal const int FormatVersion = 1;

    private const int StackTokens = 256;

    private readonly ulong _a;
    private readonly ulong _b;
    private readonly ulong _c;
    private readonly ulong _d;

    /// <summary>Reads a hash from its <see cref="ByteCount"/> bytes.</summary>
    /// <exception cref="ArgumentException">The length is another.</exception>
    public BlockHash(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != ByteCount) throw new ArgumentException($"A block hash has {ByteCount} bytes, not {bytes.Length}.", nameof(bytes));
        this = MemoryMarshal.Read<BlockHash>(bytes);
    }

    /// <summary>The hash that a namespace's first blocks have as their parent. Different models, shapes, tenants and losses never share a block.</summary>
    /// <param name="modelFingerprint">Bytes that differ whenever the model would compute other bits.</param>
    /// <param name="shape">The shape of the blocks.</param>
    /// <param name="tenantSalt">The tenant's secret; empty for a single tenant.</param>
    public static BlockHash Root(ReadOnlySpan<byte> modelFingerprint, BlockShape shape, ReadOnlySpan<byte> tenantSalt) => LossyRoot(modelFingerprint, shape, tenantSalt, []);

    /// <summary>The root of blocks that may have lost bits in colder tiers.</summary>
    /// <param name="modelFingerprint">Bytes that differ whenever the model would compute other bits.</param>
    /// <param name="shape">The shape of the blocks.</param>
    /// <param name="tenantSalt">The tenant's secret; empty for a single tenant.</param>
    /// <param name="losses">What the blocks may have lost in colder tiers, ascending; empty for blocks that have the computed bits.</param>
    internal static BlockHash LossyRoot(ReadOnlySpan<byte> modelFingerprint, BlockShape shape, ReadOnlySpan<byte> tenantSalt, ReadOnlySpan<int> losses)
    {
        ArgumentNullException.ThrowIfNull(shape);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        AppendInt32(hash, FormatVersion);
        AppendInt32(hash, modelFingerprint.Length);
        hash.AppendData(modelFingerprint);
        hash.AppendData(shape.Description);
        AppendInt32(hash, tenantSalt.Length);
        hash.AppendData(tenantSalt);
        if (!losses.IsEmpty)
        {
            AppendInt32(hash, losses.Length);
            foreach (int loss in losses) AppendInt32(hash, loss);
        }

        Span<byte> digest = stackalloc byte[ByteCount];
        hash.GetHashAndReset(digest);
        return new BlockHash(digest);
    }

    /// <summary>The number above 0 by which colder tiers know a root's namespace, where budgets are kept.</summary>
    internal int TenantNumber => Math.Max(1, (int)(_a & int.MaxValue));

    /// <summary>The hash of the block that follows this one and holds <paramref name="tokens"/>; a partial block hashes the same way.</summary>
    [SkipLocalsInit]
    public BlockHash Next(ReadOnlySpan<int> tokens)
    {
        int byteCount = ByteCount + tokens.Length * sizeof(int);
        byte[]? rented = tokens.Length > StackTokens ? ArrayPool<byte>.Shared.Rent(byteCount) : null;
        Span<byte> message = rented is null ? stackalloc byte[ByteCount + StackTokens * sizeof(int)] : rented;
        message = message[..byteCount];
        CopyTo(message);
        Span<byte> tokenBytes = message[ByteCount..];
        if (BitConverter.IsLittleEndian)
        {
            MemoryMarshal.AsBytes(tokens).CopyTo(tokenBytes);
        }
        else
        {
            for (int i = 0; i < tokens.Length; i++)
                BinaryPrimitives.WriteInt32LittleEndian(tokenBytes[(i * sizeof(int))..], tokens[i]);
        }

        Span<byte> digest = stackalloc byte[ByteCount];
        Sha256.HashData(message, digest);
        if (rented is not null) ArrayPool<byte>.Shared.Return(rented);
        return new BlockHash(digest);
    }

    /// <summary>Writes the <see cref="ByteCount"/> bytes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The destination is shorter.</exception>
    public void CopyTo(Span<byte> destination) => MemoryMarshal.Write(destination, in this);

    /// <summary>Reads 64 hexadecimal digits.</summary>
    /// <exception cref="FormatException">The text is not that.</exception>
    public static BlockHash Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return TryParse(text, out BlockHash hash) ? hash : throw new FormatException($"'{text}' is not {2 * ByteCount} hexadecimal digits.");
    }

    /// <summary>Reads 64 hexadecimal digits.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out BlockHash hash)
    {
        Span<byte> bytes = stackalloc byte[ByteCount];
        bool valid = text is { Length: 2 * ByteCount }
            && Convert.FromHexString(text, bytes, out _, out int written) == OperationStatus.Done
            && written == ByteCount;
        hash = valid ? new BlockHash(bytes) : default;
        return valid;
    }

    /// <summary>64 lower-case hexadecimal digits.</summary>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[ByteCount];
        CopyTo(bytes);
        return Convert.ToHexStringLower(bytes);
    }

    /// <inheritdoc/>
    public bool Equals(BlockHash other) => _a == other._a && _b == other._b && _c == other._c && _d == other._d;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is BlockHash other && Equals(other);

    // The bytes are uniformly distributed already.
    /// <inheritdoc/>
    public override int GetHashCode() => (int)_a;

    /// <inheritdoc/>
    public int CompareTo(BlockHash other)
    {
        Span<byte> mine = stackalloc byte[ByteCount];
        Span<byte> theirs = stackalloc byte[ByteCount];
        CopyTo(mine);
        other.CopyTo(theirs);
        return mine.SequenceCompareTo(theirs);
    }

    /// <summary>Whether two hashes are the same 32 bytes.</summary>
    public static bool operator ==(BlockHash left, BlockHash right) => left.Equals(right);

    /// <summary>Whether two hashes differ.</summary>
    public static bool operator !=(BlockHash left, BlockHash right) => !left.Equals(right);

    /// <summary>Whether the left hash sorts first.</summary>
    public static bool operator <(BlockHash left, BlockHash right) => left.CompareTo(right) < 0;

    /// <summary>Whether the right hash sorts first.</summary>
    public static bool operator >(BlockHash left, BlockHash right) => left.CompareTo(right) > 0;

    /// <summary>Whether the right hash does not sort first.</summary>
    public static bool operator <=(BlockHash left, BlockHash right) => left.CompareTo(right) <= 0;

    /// <summary>Whether the left hash does not sort first.</summary>
    public static bool operator >=(BlockHash left, BlockHash right) => left.CompareTo(right) >= 0;

    private static void AppendInt32(IncrementalHash hash, int value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        hash.AppendData(bytes);
    }
}
