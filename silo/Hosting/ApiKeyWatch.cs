using KvTiers.Silo.Configuration;

namespace KvTiers.Silo.Hosting;

/// <summary>Reads the key file anew when it has changed. Looked at every second, which also sees what file systems tell nobody of.</summary>
internal sealed partial class ApiKeyWatch(SiloOptions options, ApiKeys keys, TimeProvider time, ILogger<ApiKeyWatch> logger) : IHostedService, IDisposable
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly Lock _looking = new();
    private (DateTime WrittenAt, long Length)? _seen;
    private string? _told;
    private ITimer? _timer;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (options.ApiKeyFile is not { } path) return Task.CompletedTask;
        _seen = Stamp(path);
        if (keys.IsPlain) PlainFile(logger, path);
        _timer = time.CreateTimer(_ => Look(path), null, LookEvery, LookEvery);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public void Dispose() => _timer?.Dispose();

    private void Look(string path)
    {
        lock (_looking)
        {
            (DateTime, long)? stamp = Stamp(path);
            if (stamp == _seen && keys.Problem is null) return;
            _seen = stamp;
            if (keys.Reload())
            {
                _told = null;
                Reloaded(logger, path, keys.Tenants.Count);
            }
            else if (keys.Problem != _told)
            {
                _told = keys.Problem;
                BrokenFile(logger, _told!);
            }
        }
    }

    private static (DateTime WrittenAt, long Length)? Stamp(string path)
    {
        var file = new FileInfo(path);
        return file.Exists ? (file.LastWriteTimeUtc, file.Length) : null;
    }

    [LoggerMessage(1, LogLevel.Information, "The key file '{Path}' was read anew: keys of {Tenants} tenants")]
    private static partial void Reloaded(ILogger logger, string path, int tenants);

    [LoggerMessage(2, LogLevel.Error, "Reading the keys anew came to nothing: {Problem}")]
    private static partial void BrokenFile(ILogger logger, string problem);

    [LoggerMessage(3, LogLevel.Warning, "The key file '{Path}' holds keys as they are, for whoever reads it; 'kvtiers-cli keys convert' makes it one of digests, and the keys stay what they are")]
    private static partial void PlainFile(ILogger logger, string path);
}
