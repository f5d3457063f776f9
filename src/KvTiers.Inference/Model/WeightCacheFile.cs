using System.Buffers.Binary;
using System.Runtime.InteropServices;
using KvTiers.Inference.Kernels;
using KvTiers.Tiers;
using Microsoft.Win32.SafeHandles;

namespace KvTiers.Inference.Model;

/// <summary>Packed matrices in a file, as kernels read them. What was read was checked from end to end.</summary>
/// <remarks>
/// Little-endian. Header: magic (8 bytes), format version, number of matrices (int32 each), key (32), fingerprint (32); per matrix its panel
/// format, inputs, outputs (int32 each), 4 bytes of zeros, offset and length (int64 each); CRC-32C of every 4 MiB of every matrix; CRC-32C of the
/// header up to there. Matrices follow in that order, each at a multiple of 4,096 bytes; the file ends with the last one.
/// </remarks>
internal sealed unsafe class WeightCacheFile
{
    private const ulong Magic = 0x3157_5245_4954_564B; // "KVTIERW1"
    private const int Version = 1;
    private const int HashBytes = 32;
    private const int FixedBytes = 16 + 2 * HashBytes;
    private const int EntryBytes = 32;
    private const int MostMatrices = 1 << 20;
    private const int PieceBytes = 4 << 20;
    private const int Alignment = 4096;

    private readonly List<(Entry Entry, nint Start)> _matrices = [];
    private int _next;

    private WeightCacheFile(byte[] fingerprint) => Fingerprint = fingerprint;

    /// <summary>The model's fingerprint, as it was found when the file was written.</summary>
    public byte[] Fingerprint { get; }

    /// <summary>Opens a file and checks all of it.</summary>
    /// <param name="path">The file; it must be there.</param>
    /// <param name="key">32 bytes: what the matrices were made of and how.</param>
    /// <param name="team">Who checks.</param>
    /// <param name="arena">Where the matrices go; nothing is in it afterwards if there is no result.</param>
    /// <param name="fault">Why there is no result.</param>
    /// <returns>The file, or null when it was made of something else, or is not whole.</returns>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static WeightCacheFile? TryOpen(string path, ReadOnlySpan<byte> key, ThreadTeam team, WeightArena arena, out string fault)
    {
        using SafeFileHandle handle = File.OpenHandle(path);
        if (!TryReadHeader(handle, key, out byte[] header, out List<Entry> entries, out fault))
            return null;
        WeightCacheFile file = new(header.AsSpan(16 + HashBytes, HashBytes).ToArray());
        byte* start = arena.Load(handle, RandomAccess.GetLength(handle));
        foreach (Entry entry in entries)
            file._matrices.Add((entry, (nint)start + (nint)entry.Offset));
        CheckJob job = new([.. file._matrices.Select(matrix => (matrix.Start, matrix.Entry.Length))], isMapped: OperatingSystem.IsLinux());
        team.Run(job, job.Sums.Length);
        int firstSum = FixedBytes + entries.Count * EntryBytes;
        if (job.Sums.AsSpan().SequenceEqual(MemoryMarshal.Cast<byte, uint>(header.AsSpan(firstSum, job.Sums.Length * sizeof(uint)))))
            return file;
        arena.Clear();
        fault = "is damaged";
        return null;
    }

    /// <summary>Writes a file beside its place and moves it there, so that no reader ever sees a part.</summary>
    /// <exception cref="IOException">The disk is full or cannot be written; nothing is left behind.</exception>
    public static void Write(string path, ReadOnlySpan<byte> key, ReadOnlySpan<byte> fingerprint, IReadOnlyList<PackedMatrix> matrices, ThreadTeam team)
    {
        int pieces = matrices.Sum(matrix => Pieces(matrix.ByteCount));
        byte[] header = new byte[FixedBytes + matrices.Count * EntryBytes + (pieces + 1) * sizeof(uint)];
        BinaryPrimitives.WriteUInt64LittleEndian(header, Magic);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(8), Version);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(12), matrices.Count);
        key.CopyTo(header.AsSpan(16));
        fingerprint.CopyTo(header.AsSpan(16 + HashBytes));
        List<Entry> entries = [];
        long offset = header.Length;
        foreach (PackedMatrix matrix in matrices)
        {
            offset = (offset + Alignment - 1) / Alignment * Alignment;
            entries.Add(new Entry((int)matrix.Format, matrix.Inputs, matrix.Outputs, 0, offset, matrix.ByteCount));
            offset += matrix.ByteCount;
        }
        MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(entries)).CopyTo(header.AsSpan(FixedBytes));
        CheckJob job = new([.. matrices.Select(matrix => ((nint)matrix.Panel(0), matrix.ByteCount))], isMapped: false);
        team.Run(job, job.Sums.Length);
        MemoryMarshal.AsBytes(job.Sums.AsSpan()).CopyTo(header.AsSpan(FixedBytes + matrices.Count * EntryBytes));
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(header.Length - sizeof(uint)), Crc32C.Compute(header.AsSpan(0, header.Length - sizeof(uint))));

        string part = $"{path}.{Environment.ProcessId}.part";
        try
        {
            using (FileStream stream = new(part, new FileStreamOptions
            {
                Mode = FileMode.Create,
                Access = FileAccess.Write,
                BufferSize = 0,
                PreallocationSize = offset,
            }))
            {
                stream.Write(header);
                for (int i = 0; i < entries.Count; i++)
                {
                    stream.Position = entries[i].Offset;
                    for (long done = 0; done < entries[i].Length; done += PieceBytes)
                        stream.Write(new ReadOnlySpan<byte>(matrices[i].Panel(0) + done, (int)Math.Min(PieceBytes, entries[i].Length - done)));
                }
            }
            File.Move(part, path, overwrite: true);
        }
        catch
        {
            File.Delete(part);
            throw;
        }
    }

    /// <summary>The next matrix of the file, if it has this format and shape. Matrices are asked for in the order in which they were packed.</summary>
    public PackedMatrix? TryTake(PanelFormat format, int inputs, int outputs)
    {
        if (_next == _matrices.Count)
            return null;
        (Entry entry, nint start) = _matrices[_next];
        if (entry.Format != (int)format || entry.Inputs != inputs || entry.Outputs != outputs)
            return null;
        _next++;
        return PackedMatrix.Over(format, inputs, outputs, (byte*)start);
    }

    private static bool TryReadHeader(SafeFileHandle handle, ReadOnlySpan<byte> key, out byte[] header, out List<Entry> entries, out string fault)
    {
        long length = RandomAccess.GetLength(handle);
        entries = [];
        header = new byte[FixedBytes];
        fault = "is too short";
        if (length < FixedBytes + sizeof(uint) || !TryRead(handle, header, 0))
            return false;
        fault = "is of another kind or version";
        if (BinaryPrimitives.ReadUInt64LittleEndian(header) != Magic || BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(8)) != Version)
            return false;
        fault = "is damaged";
        int count = BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(12));
        long entryEnd = FixedBytes + (long)count * EntryBytes;
        if (count is < 0 or > MostMatrices || entryEnd + sizeof(uint) > length)
            return false;
        if (!header.AsSpan(16, HashBytes).SequenceEqual(key))
        {
            fault = "was made of other files, or in another way";
            return false;
        }
        byte[] table = new byte[count * EntryBytes];
        if (!TryRead(handle, table, FixedBytes))
            return false;
        long pieces = 0, end = entryEnd;
        foreach (Entry entry in MemoryMarshal.Cast<byte, Entry>(table))
        {
            if (entry.Length < 0 || entry.Offset < end || entry.Offset % Alignment != 0 || entry.Length > length - entry.Offset
                || entry.Format is < 0 or > (int)PanelFormat.Int4Affine || entry.Inputs < 1 || entry.Outputs < 1
                || entry.Length != PackedMatrix.SizeOf((PanelFormat)entry.Format, entry.Inputs, entry.Outputs))
                return false;
            pieces += Pieces(entry.Length);
            end = entry.Offset + entry.Length;
            entries.Add(entry);
        }
        long headerEnd = entryEnd + pieces * sizeof(uint);
        if (end != length || headerEnd + sizeof(uint) > (count == 0 ? length : entries[0].Offset))
            return false;
        header = new byte[headerEnd + sizeof(uint)];
        if (!TryRead(handle, header, 0) || Crc32C.Compute(header.AsSpan(0, (int)headerEnd)) != BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan((int)headerEnd)))
            return false;
        fault = "";
        return true;
    }

    // False where the file ends first.
    private static bool TryRead(SafeFileHandle handle, Span<byte> target, long offset)
    {
        while (target.Length > 0)
        {
            int count = RandomAccess.Read(handle, target, offset);
            if (count == 0)
                return false;
            target = target[count..];
            offset += count;
        }
        return true;
    }

    private static int Pieces(long bytes) => (int)((bytes + PieceBytes - 1) / PieceBytes);

    /// <summary>A matrix in the file.</summary>
    [StructLayout(LayoutKind.Sequential, Size = EntryBytes)]
    private readonly record struct Entry(int Format, int Inputs, int Outputs, int Zero, long Offset, long Length);

    /// <summary>The checksum of every piece of every matrix; 0 for one that cannot be read.</summary>
    private sealed class CheckJob : ITeamJob
    {
        private readonly bool _isMapped;
        private readonly List<(nint Start, int Length)> _pieces = [];

        public CheckJob(IEnumerable<(nint Start, long Length)> ranges, bool isMapped)
        {
            _isMapped = isMapped;
            foreach ((nint start, long length) in ranges)
            {
                for (long done = 0; done < length; done += PieceBytes)
                    _pieces.Add((start + (nint)done, (int)Math.Min(PieceBytes, length - done)));
            }
            Sums = new uint[_pieces.Count];
        }

        public uint[] Sums { get; }

        public void Run(int chunk, int worker)
        {
            (nint start, int length) = _pieces[chunk];
            if (!_isMapped || MappedWeights.TryPopulate((byte*)start, length))
                Sums[chunk] = Crc32C.Compute(new ReadOnlySpan<byte>((void*)start, length));
        }
    }
}
