using System.Runtime.InteropServices;

namespace KvTiers.Inference.Kernels;

/// <summary>Memory outside the managed heap: 64-byte aligned, on huge pages where the system grants them, zero at first unless asked otherwise.</summary>
internal sealed unsafe partial class NativeBuffer : IDisposable
{
    private const int Alignment = 64;
    private const int HugePageBytes = 2 << 20;
    private const int AdviseHugePages = 14;
    private void* _pointer;

    /// <summary>Allocates <paramref name="byteCount"/> bytes; none at all for 0.</summary>
    /// <param name="byteCount">Bytes.</param>
    /// <param name="clear">False leaves the contents undefined, and memory that is not touched with the system.</param>
    /// <exception cref="OutOfMemoryException">The system has no such memory.</exception>
    public NativeBuffer(long byteCount, bool clear = true)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(byteCount);
        ByteCount = byteCount;
        if (byteCount == 0)
            return;
        bool huge = byteCount >= HugePageBytes;
        nuint size = (nuint)((byteCount + Alignment - 1) / Alignment * Alignment);
        _pointer = NativeMemory.AlignedAlloc(size, huge ? HugePageBytes : (nuint)Alignment);
        if (huge && OperatingSystem.IsLinux())
            Advise(_pointer, size, AdviseHugePages);
        if (clear)
            NativeMemory.Clear(_pointer, size);
    }

    ~NativeBuffer() => Free();

    /// <summary>Bytes asked for.</summary>
    public long ByteCount { get; }

    /// <summary>The first byte.</summary>
    public byte* Bytes => (byte*)_pointer;

    /// <summary>The first float.</summary>
    public float* Floats => (float*)_pointer;

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        NativeMemory.AlignedFree(_pointer);
        _pointer = null;
    }

    // A refused advice costs speed only, so the result is not looked at.
    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* address, nuint length, int advice);
}
