using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace KvTiers.Tiers.Disk;

/// <summary>Transfers of one thread that the device works on while the thread does something else: Linux's io_submit(2).</summary>
/// <remarks>
/// Only files open with O_DIRECT are written so; on others the kernel would do the work before it answers. Handing a
/// transfer to another thread is no way to the same: waking it takes as long as the checksum that is to be hidden.
/// </remarks>
internal sealed unsafe partial class TransferQueue
{
    private const int Capacity = 4;
    private const ushort Write = 1, WriteGathered = 8;

    [ThreadStatic]
    private static TransferQueue? _current;

    private readonly nuint _context;
    private readonly List<SafeFileHandle> _held = [];
    private int _underWay;

    private TransferQueue(nuint context) => _context = context;

    ~TransferQueue() => _ = Call(Numbers.Destroy, (nint)_context, 0, 0, 0, 0);

    // <asm/unistd.h>
    private static (nint Setup, nint Destroy, nint GetEvents, nint Submit) Numbers =>
        RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? (0, 1, 4, 2) : (206, 207, 208, 209);

    /// <summary>The calling thread's own queue, with nothing under way; null where the kernel has none for it.</summary>
    public static TransferQueue? OfThisThread()
    {
        if (_current is null && OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.Arm64)
        {
            nuint context = 0;
            if (Call(Numbers.Setup, Capacity, (nint)(&context), 0, 0, 0) == 0)
                _current = new TransferQueue(context);
        }

        return _current;
    }

    /// <summary>Starts to write <paramref name="count"/> bytes. They stay where they are until <see cref="Finish"/> has returned.</summary>
    /// <exception cref="IOException">The kernel does not take the transfer; those under way are still to be finished.</exception>
    public void StartWrite(SafeFileHandle file, void* source, int count, long offset) =>
        Start(file, Write, (ulong)source, (ulong)count, (ulong)count, offset);

    /// <summary>Starts to write from two places, one behind the other.</summary>
    /// <exception cref="IOException">As above.</exception>
    public void StartWrite(SafeFileHandle file, void* first, int firstCount, void* second, int secondCount, long offset)
    {
        // The kernel has read the list when it takes the transfer.
        nint* pieces = stackalloc nint[4] { (nint)first, firstCount, (nint)second, secondCount };
        Start(file, WriteGathered, (ulong)pieces, 2, (ulong)(firstCount + secondCount), offset);
    }

    /// <summary>Waits for all transfers.</summary>
    /// <returns>Whether each moved all of its bytes.</returns>
    /// <exception cref="IOException">The device failed one of them. None is under way any more.</exception>
    public bool Finish()
    {
        bool whole = true;
        long error = 0;
        while (_underWay > 0)
        {
            Event done;
            if (Call(Numbers.GetEvents, (nint)_context, 1, 1, (nint)(&done), 0) != 1)
                continue; // a signal came in between

            _underWay--;
            error = done.Result < 0 ? -done.Result : error;
            whole &= done.Result == (long)done.Expected;
        }

        foreach (SafeFileHandle file in _held)
            file.DangerousRelease();
        _held.Clear();
        return error == 0 ? whole : throw Fault((int)error);
    }

    private void Start(SafeFileHandle file, ushort operation, ulong buffer, ulong count, ulong expected, long offset)
    {
        // Nobody may close the file, and another get its number, before the device is done with it.
        bool held = false;
        file.DangerousAddRef(ref held);
        _held.Add(file);
        var transfer = new Transfer
        {
            Expected = expected,
            Operation = operation,
            Descriptor = (uint)file.DangerousGetHandle(),
            Buffer = buffer,
            Count = count,
            Offset = offset,
        };
        Transfer* pointer = &transfer;
        if (Call(Numbers.Submit, (nint)_context, 1, (nint)(&pointer), 0, 0) != 1)
            throw Fault(Marshal.GetLastPInvokeError());

        _underWay++;
    }

    private static IOException Fault(int error) => new($"The device failed a transfer: {new Win32Exception(error).Message} (error {error}).");

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint Call(nint number, nint first, nint second, nint third, nint fourth, nint fifth);

    // <linux/aio_abi.h>: struct iocb
    [StructLayout(LayoutKind.Sequential, Size = 64)]
    private struct Transfer
    {
        public ulong Expected;
        public uint Key;
        public uint Flags;
        public ushort Operation;
        public short Priority;
        public uint Descriptor;
        public ulong Buffer;
        public ulong Count;
        public long Offset;
    }

    // <linux/aio_abi.h>: struct io_event
    [StructLayout(LayoutKind.Sequential)]
    private struct Event
    {
        public ulong Expected;
        public ulong Source;
        public long Result;
        public long Other;
    }
}
