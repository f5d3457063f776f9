using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace KvTiers.Tiers;

/// <summary>Native memory that somebody else owns, as <see cref="Memory{T}"/>; valid for as long as that owner keeps it.</summary>
internal sealed unsafe class NativeMemoryManager(byte* bytes, int byteCount) : MemoryManager<byte>
{
    private readonly byte* _bytes = bytes;

    public static NativeMemoryManager At(nint address, int byteCount) => new((byte*)address, byteCount);

    /// <summary>Over a span of native memory, or of an array that is pinned.</summary>
    public static NativeMemoryManager Over(ReadOnlySpan<byte> span) =>
        new((byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(span)), span.Length);

    public override Span<byte> GetSpan() => new(_bytes, byteCount);

    public override MemoryHandle Pin(int elementIndex = 0) => new(_bytes + elementIndex);

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
    }
}
