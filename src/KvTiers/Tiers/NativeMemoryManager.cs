using System.Buffers;

namespace KvTiers.Tiers;

/// <summary>Native memory that somebody else owns, as <see cref="Memory{T}"/>.</summary>
internal sealed unsafe class NativeMemoryManager(byte* bytes, int byteCount) : MemoryManager<byte>
{
    private readonly byte* _bytes = bytes;

    public override Span<byte> GetSpan() => new(_bytes, byteCount);

    public override MemoryHandle Pin(int elementIndex = 0) => new(_bytes + elementIndex);

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
    }
}
