using System.Buffers;
using System.Runtime.InteropServices;

namespace KvTiers.Tiers.Disk;

/// <summary>Native memory that direct I/O takes: zeroed, aligned to <see cref="DirectFile.Alignment"/>. Freed by Dispose only.</summary>
internal sealed unsafe class AlignedBuffer : MemoryManager<byte>
{
    private byte* _bytes;

    public AlignedBuffer(int byteCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(byteCount);
        ByteCount = byteCount;
        _bytes = (byte*)NativeMemory.AlignedAlloc((nuint)byteCount, DirectFile.Alignment);
        NativeMemory.Clear(_bytes, (nuint)byteCount);
    }

    public int ByteCount { get; }

    public override Span<byte> GetSpan()
    {
        ObjectDisposedException.ThrowIf(_bytes is null, this);
        return new Span<byte>(_bytes, ByteCount);
    }

    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ObjectDisposedException.ThrowIf(_bytes is null, this);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)elementIndex, (uint)ByteCount);
        return new MemoryHandle(_bytes + elementIndex);
    }

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
        NativeMemory.AlignedFree(_bytes);
        _bytes = null;
    }
}
