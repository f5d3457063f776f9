using System.IO.MemoryMappedFiles;

namespace KvTiers.Inference.Model;

/// <summary>A model's file in memory, read only: what reads a format checks what the bytes say.</summary>
internal sealed unsafe class MappedFile : IDisposable
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private bool _disposed;

    /// <summary>Maps a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="leastBytes">What it must have, at least 1: nothing cannot be mapped.</param>
    /// <param name="format">What it is meant to be, for who reads the error.</param>
    /// <exception cref="ModelFormatException">It cannot be read, or is shorter.</exception>
    public MappedFile(string path, int leastBytes, string format)
    {
        try
        {
            Length = new FileInfo(path).Length;
            if (Length < leastBytes)
                throw new ModelFormatException(path, null, $"has {Length} bytes and is no {format} file.");
            _file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
            _view = _file.CreateViewAccessor(0, Length, MemoryMappedFileAccess.Read);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            _file?.Dispose();
            throw new ModelFormatException(path, null, "cannot be read.", exception);
        }

        byte* start = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        Start = start + _view.PointerOffset;
    }

    /// <summary>The first byte.</summary>
    public byte* Start { get; }

    /// <summary>Bytes.</summary>
    public long Length { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }
}
