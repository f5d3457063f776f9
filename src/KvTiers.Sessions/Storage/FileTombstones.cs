using System.Runtime.CompilerServices;
using KvTiers.Sessions.Serialization;

namespace KvTiers.Sessions.Storage;

/// <summary>Tombstones in a folder beside the conversations' files: one file each, written as a whole, which only its owner may read.</summary>
internal sealed class FileTombstones(string folder, bool sync, RecordSealer sealer, StoreHealth health) : ITombstoneStore
{
    private const string Extension = ".tomb";

    /// <inheritdoc/>
    public async ValueTask WriteAsync(Tombstone tombstone, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        byte[] bytes = TombstoneFormat.Write(tombstone, sealer);
        await Task.Run(() => health.Write(() => Write(PathOf(tombstone), bytes)), CancellationToken.None).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask RemoveAsync(Tombstone tombstone, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        await Task.Run(() => health.Write(() => Delete(PathOf(tombstone))), CancellationToken.None).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<Tombstone> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        if (!Directory.Exists(folder))
            yield break;
        foreach (string path in Directory.EnumerateFiles(folder, "*" + Extension))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (await Task.Run(() => health.Read(() => TryRead(path)), cancellationToken).ConfigureAwait(false) is { } tombstone)
                yield return tombstone;
        }
    }

    private bool Write(string path, byte[] bytes)
    {
        if (!Directory.Exists(folder))
        {
            Directory.CreateDirectory(folder);
            if (sync)
                DirectoryFlush.Flush(Path.GetDirectoryName(folder)!);
        }

        AtomicFile.Write(path, bytes, sync);
        return true;
    }

    private bool Delete(string path)
    {
        AtomicFile.Delete(path, sync);
        return true;
    }

    private Tombstone? TryRead(string path)
    {
        try
        {
            return TombstoneFormat.Read(File.ReadAllBytes(path), sealer);
        }
        catch (Exception exception) when (exception is FormatException or FileNotFoundException)
        {
            return null;
        }
    }

    private string PathOf(Tombstone tombstone) => Path.Combine(folder, $"{tombstone.Id:n}{Extension}");
}
