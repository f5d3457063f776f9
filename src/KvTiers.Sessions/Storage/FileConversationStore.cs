using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using KvTiers.Conversations;
using KvTiers.Sessions.Changes;
using KvTiers.Sessions.Serialization;
using Microsoft.Win32.SafeHandles;

namespace KvTiers.Sessions.Storage;

/// <summary>
/// Conversations in files: one append-only file each. A write is one record at the end, synced before it counts. A record that a crash
/// left unfinished is cut off; any other damage stops that conversation only. Several processes may share the folder.
/// </summary>
public sealed partial class FileConversationStore : IConversationStore, IAsyncDisposable
{
    private const string Extension = ".conv";
    private const int MaxKnownFiles = 16384;

    // A file is compacted when it has outgrown its first record, which after a compaction is the whole state, this many times.
    private const int CompactionGrowth = 4;

    private readonly FileConversationStoreOptions _options;
    private readonly StoreLocks _locks;
    private readonly RecordSealer _sealer;
    private readonly StoreHealth _health;
    private readonly ConcurrentDictionary<string, KnownFile> _known = new();

    /// <summary>A store in a folder, which is created.</summary>
    /// <param name="options">Where, and how.</param>
    /// <param name="time">The clock by which a store that failed is tried again; the system's when null.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    /// <exception cref="IOException">The folder cannot be created.</exception>
    public FileConversationStore(FileConversationStoreOptions options, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options with { Folder = Path.GetFullPath(options.Folder) };
        _locks = new(Path.Combine(_options.Folder, ".locks"), _options.LockDeadline);
        _sealer = new(options.Protection, options.AcceptUnsigned);
        _health = new StoreHealth(_options, time ?? TimeProvider.System);
        Tombstones = new FileTombstones(Path.Combine(_options.Folder, ".tombstones"), _options.Sync, _sealer, _health);
    }

    /// <inheritdoc/>
    public string? Failure => _health.Failure;

    /// <inheritdoc/>
    public ITombstoneStore Tombstones { get; }

    /// <summary>The file of one conversation, whether it exists or not.</summary>
    public string PathOf(ConversationKey key) => Path.Combine(_options.Folder, NameOf(key));

    /// <inheritdoc/>
    public ValueTask<ConversationVersion?> ReadVersionAsync(ConversationKey key, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        string path = PathOf(key);
        return ValueTask.FromResult(_health.Read(() => FindKnown(path)?.Version ?? Read(path)?.State.Version));
    }

    /// <inheritdoc/>
    public async ValueTask<ConversationState?> ReadAsync(ConversationKey key, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        string path = PathOf(key);
        ConversationFileContent? content = _health.Read(() => Read(path));
        if (content is null)
            return null;
        if (content.State.Key != key)
            throw new ConversationDamagedException(path, $"it says that it is the conversation '{content.State.Key}'");
        if (content.HasUnsigned)
            await SealAsync(key, cancellationToken).ConfigureAwait(false);
        return content.State;
    }

    /// <inheritdoc/>
    public async ValueTask<bool> TryAppendAsync(ConversationKey key, ConversationVersion? replaced, ConversationChange change, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(change);
        if (replaced is null != change is ConversationCreated)
            throw new ArgumentException($"A {change.GetType().Name} {(replaced is null ? "must replace a version" : "replaces no version")}.", nameof(replaced));
        string path = PathOf(key);
        using IDisposable held = await EnterAsync(key, cancellationToken).ConfigureAwait(false);
        return await Task.Run(
            () => _health.Write(() => replaced is null ? TryCreate(path, key, (ConversationCreated)change) : TryAppend(path, key, replaced.Value, change)), CancellationToken.None)
            .ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<bool> TryDeleteAsync(ConversationKey key, ConversationVersion version, CancellationToken cancellationToken = default)
    {
        string path = PathOf(key);
        using IDisposable held = await EnterAsync(key, cancellationToken).ConfigureAwait(false);
        if (_health.Read(() => FindKnown(path)?.Version ?? Read(path)?.State.Version) != version)
            return false;
        return _health.Write(() => Remove(path));
    }

    /// <inheritdoc/>
    public async ValueTask<bool> TryDeleteDamagedAsync(ConversationKey key, CancellationToken cancellationToken = default)
    {
        string path = PathOf(key);
        using IDisposable held = await EnterAsync(key, cancellationToken).ConfigureAwait(false);
        try
        {
            return _health.Read(() => Read(path)) is { } content && content.State.Key != key ? throw new ConversationDamagedException(path, "it is another's") : false;
        }
        catch (ConversationDamagedException)
        {
            return _health.Write(() => Remove(path));
        }
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<ConversationSummary>> ListAsync(string tenant, CancellationToken cancellationToken = default)
    {
        ConversationKey.Validate(tenant, nameof(tenant));
        return ValueTask.FromResult(_health.Read(() => List(tenant, cancellationToken)));
    }

    private IReadOnlyList<ConversationSummary> List(string tenant, CancellationToken cancellationToken)
    {
        var summaries = new List<ConversationSummary>();
        var folder = new DirectoryInfo(Path.Combine(_options.Folder, SafeFileName.For(tenant)));
        if (!folder.Exists)
            return Directory.Exists(_options.Folder) ? summaries : throw new DirectoryNotFoundException($"'{_options.Folder}' is gone.");
        foreach (FileInfo file in folder.EnumerateFiles("*" + Extension))
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                ConversationSummary? summary = FindKnown(file.FullName)?.Summary ?? Read(file.FullName)?.State.ToSummary();
                if (summary is not null)
                    summaries.Add(summary);
            }
            catch (ConversationDamagedException exception)
            {
                summaries.Add(Damaged(file, exception.Reason));
            }
        }

        return summaries;
    }

    /// <inheritdoc/>
    public ValueTask<int> CountAsync(string tenant, CancellationToken cancellationToken = default)
    {
        ConversationKey.Validate(tenant, nameof(tenant));
        string folder = Path.Combine(_options.Folder, SafeFileName.For(tenant));
        return ValueTask.FromResult(_health.Read(() => Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*" + Extension).Count() : 0));
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ConversationState> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        if (!Directory.Exists(_options.Folder))
            yield break;
        foreach (string path in Directory.EnumerateFiles(_options.Folder, "*" + Extension, SearchOption.AllDirectories))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (await Task.Run(() => ReadUndamaged(path), cancellationToken).ConfigureAwait(false) is not { } content)
                continue;
            if (content.HasUnsigned)
                await SealAsync(content.State.Key, cancellationToken).ConfigureAwait(false);
            yield return content.State;
        }
    }

    private ConversationFileContent? ReadUndamaged(string path)
    {
        try
        {
            return _health.Read(() => Read(path));
        }
        catch (ConversationDamagedException)
        {
            return null;
        }
    }

    /// <summary>Ends the trials of a store that failed.</summary>
    public ValueTask DisposeAsync() => _health.DisposeAsync();

    private async ValueTask<IDisposable> EnterAsync(ConversationKey key, CancellationToken cancellationToken)
    {
        try
        {
            return await _locks.EnterAsync(NameOf(key), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception fault) when (StoreHealth.IsFault(fault))
        {
            throw _health.CannotWrite(fault);
        }
    }

    private static string NameOf(ConversationKey key) => Path.Combine(SafeFileName.For(key.Tenant), SafeFileName.For(key.Id) + Extension);

    private static ConversationSummary Damaged(FileInfo file, string reason)
    {
        string name = Path.GetFileNameWithoutExtension(file.Name);
        return new()
        {
            Id = name.StartsWith("n-", StringComparison.Ordinal) ? name[2..] : name,
            Version = 0,
            Title = "",
            MessageCount = 0,
            TokenCount = 0,
            CreatedAt = file.CreationTimeUtc,
            UpdatedAt = file.LastWriteTimeUtc,
            Damage = reason,
        };
    }

    // A conversation that is not there is none; a whole folder that is not there is a disk that is away.
    private SafeFileHandle? TryOpen(string path)
    {
        try
        {
            return File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException && Directory.Exists(_options.Folder))
        {
            return null;
        }
    }

    private KnownFile? FindKnown(string path)
    {
        if (!_known.TryGetValue(path, out KnownFile? known))
            return null;
        using SafeFileHandle? handle = TryOpen(path);
        if (handle is null || RandomAccess.GetLength(handle) != known.Length)
            return null;
        Span<byte> head = stackalloc byte[ConversationFile.HeadBytes];
        int read = RandomAccess.Read(handle, head, 0);
        return ConversationFile.ReadGeneration(head[..read]) == known.Generation ? known : null;
    }

    private ConversationFileContent? Read(string path)
    {
        using SafeFileHandle? handle = TryOpen(path);
        if (handle is null)
            return null;
        int length = checked((int)RandomAccess.GetLength(handle));
        byte[] bytes = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            int read = 0;
            while (read < length && RandomAccess.Read(handle, bytes.AsSpan(read, length - read), read) is > 0 and int count)
                read += count;
            ConversationFileContent content = ConversationFile.Read(path, bytes.AsMemory(0, read), _sealer);
            Remember(path, KnownFile.Of(content));
            return content;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private void Remember(string path, KnownFile known)
    {
        if (_known.Count >= MaxKnownFiles)
            _known.Clear();
        _known[path] = known;
    }

    private bool TryCreate(string path, ConversationKey key, ConversationCreated created)
    {
        if (Read(path) is not null)
            return false;
        string folder = Path.GetDirectoryName(path)!;
        bool newFolder = !Directory.Exists(folder);
        Directory.CreateDirectory(folder);
        if (newFolder && _options.Sync)
            DirectoryFlush.Flush(_options.Folder);
        using var file = new RecordBuffer();
        ConversationFile.Begin(file, key, created, Guid.NewGuid(), _sealer);
        Replace(path, file.Written);
        return true;
    }

    private bool TryAppend(string path, ConversationKey key, ConversationVersion replaced, ConversationChange change)
    {
        KnownFile? known = FindKnown(path) ?? (Read(path) is { } content ? KnownFile.Of(content) : null);
        if (known?.Version != replaced)
            return false;
        using var record = new RecordBuffer();
        ConversationFile.Write(record, new(key, known.Generation, known.Records), replaced.Number + 1, change, _sealer);
        using (SafeFileHandle handle = File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete))
        {
            RandomAccess.SetLength(handle, known.Length);
            try
            {
                RandomAccess.Write(handle, record.Written, known.Length);
                if (_options.Sync)
                    RandomAccess.FlushToDisk(handle);
            }
            catch
            {
                RandomAccess.SetLength(handle, known.Length);
                throw;
            }
        }

        known = known with
        {
            Length = known.Length + record.Length,
            Version = replaced with { Number = replaced.Number + 1 },
            Records = known.Records + 1,
            Summary = null,
        };
        Remember(path, known);
        CompactIfGrown(path, known);
        return true;
    }

    private void CompactIfGrown(string path, KnownFile known)
    {
        if (known.Records < _options.CompactAfterRecords || known.Length < (long)CompactionGrowth * known.FirstRecordBytes)
            return;
        Compact(path);
    }

    /// <summary>Writes a conversation anew that has records without a seal.</summary>
    private async ValueTask SealAsync(ConversationKey key, CancellationToken cancellationToken)
    {
        try
        {
            using IDisposable held = await EnterAsync(key, cancellationToken).ConfigureAwait(false);
            await Task.Run(() => Compact(PathOf(key)), CancellationToken.None).ConfigureAwait(false);
        }
        catch (ConversationStoreUnavailableException)
        {
            // It was read all the same, and is sealed when it is read next.
        }
    }

    private void Compact(string path)
    {
        try
        {
            if (Read(path) is not { } content)
                return;
            using var file = new RecordBuffer();
            ConversationFile.Begin(file, content.State, Guid.NewGuid(), _sealer);
            Replace(path, file.Written);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // The state is stored. Compaction only saves room, or seals, and is tried again at the next one.
        }
    }

    private void Replace(string path, ReadOnlySpan<byte> bytes)
    {
        string temporary = path + ".new";
        using (SafeFileHandle handle = File.OpenHandle(temporary, FileMode.Create, FileAccess.Write))
        {
            RandomAccess.Write(handle, bytes, 0);
            if (_options.Sync)
                RandomAccess.FlushToDisk(handle);
        }

        File.Move(temporary, path, overwrite: true);
        FlushFolder(path);
        _known.TryRemove(path, out _);
        _ = Read(path);
    }

    private bool Remove(string path)
    {
        File.Delete(path);
        _known.TryRemove(path, out _);
        FlushFolder(path);
        return true;
    }

    private void FlushFolder(string path)
    {
        if (_options.Sync)
            DirectoryFlush.Flush(Path.GetDirectoryName(path)!);
    }
}
