using System.Buffers;

namespace KvTiers.Sessions.Serialization;

/// <summary>Puts a record together: bytes one after another, in an array of the shared pool that goes back with <see cref="Dispose"/>.</summary>
/// <remarks>Not thread-safe. It grows as it must; spans and memory that it gave out before are then of the past.</remarks>
public sealed class RecordBuffer : IBufferWriter<byte>, IDisposable
{
    private const int LeastBytes = 4096;

    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(LeastBytes);

    /// <summary>Bytes written.</summary>
    public int Length { get; private set; }

    /// <summary>What was written; may be changed in place until the next write.</summary>
    public Span<byte> Written => _bytes.AsSpan(0, Length);

    /// <inheritdoc/>
    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _bytes.Length - Length);
        Length += count;
    }

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _bytes.AsMemory(Length);
    }

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _bytes.AsSpan(Length);
    }

    /// <summary>Gives the memory back. Nothing may be written or read after that.</summary>
    public void Dispose()
    {
        if (_bytes.Length > 0)
            ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = [];
        Length = 0;
    }

    private void Reserve(int sizeHint)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        ObjectDisposedException.ThrowIf(_bytes.Length == 0, this);
        int needed = checked(Length + Math.Max(sizeHint, 1));
        if (needed <= _bytes.Length)
            return;
        byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(needed, (int)Math.Min(2L * _bytes.Length, Array.MaxLength)));
        Written.CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = larger;
    }
}
