using KvTiers.Sessions.Secrets;
using KvTiers.Silo.Configuration;

namespace KvTiers.Silo.Models;

/// <summary>
/// Where the secret of the tenants' salts comes from: the settings; else a file in the data folder, which the first start writes. With conversations on Redis all
/// servers agree there on one, the first that comes, and the file is this server's copy of it for when Redis is away.
/// </summary>
internal static partial class TenantSecret
{
    private const string FileName = "tenant-secret";
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMilliseconds(500);

    /// <summary>Whether this server needs no other to know the secret.</summary>
    public static bool IsKnown(SiloOptions options) =>
        options.TenantSecret is not null || options.TenantSecretFile is not null || File.Exists(Path.Combine(options.Data, FileName));

    /// <summary>The tenants' salts.</summary>
    /// <exception cref="StartException">The secret's file cannot be used.</exception>
    public static async Task<TenantSalts> OpenAsync(SiloOptions options, ISharedSecret? shared, ILogger logger, TimeProvider time, CancellationToken cancellationToken)
    {
        if (options.TenantSecret is { } given)
            return new(given);
        if (options.TenantSecretFile is { } file)
            return new(Use("KvTiers:TenantSecretFile", file, () => SecretFile.Read(file) ?? throw new FormatException("It is gone.")));
        string path = Path.Combine(options.Data, FileName);
        if (shared is null)
        {
            if (options.Redis is not null) Own(logger, path);
            return new(Use("KvTiers:Data", path, () => SecretFile.ReadOrCreate(path, TenantSalts.NewSecret())));
        }

        byte[]? copy = Use("KvTiers:Data", path, () => SecretFile.Read(path));
        byte[] agreed = await AgreeAsync(shared, copy, logger, time, cancellationToken);
        if (copy is null || !copy.AsSpan().SequenceEqual(agreed))
            Use("KvTiers:Data", path, () => Written(path, agreed));
        return new(agreed);
    }

    // Without Redis and without a copy there is nothing that the other servers would agree with, so it waits.
    private static async Task<byte[]> AgreeAsync(ISharedSecret shared, byte[]? copy, ILogger logger, TimeProvider time, CancellationToken cancellationToken)
    {
        byte[] candidate = copy ?? TenantSalts.NewSecret();
        for (bool isFirst = true; ; isFirst = false)
        {
            try
            {
                return await shared.AgreeAsync(candidate, cancellationToken);
            }
            catch (IOException) when (copy is not null)
            {
                FromCopy(logger);
                return copy;
            }
            catch (IOException exception)
            {
                if (isFirst) Waiting(logger, exception.Message);
                await Task.Delay(RetryAfter, time, cancellationToken);
            }
            catch (FormatException exception)
            {
                throw new StartException($"The tenants' secret on the conversation store's Redis cannot be used: {exception.Message}", exception);
            }
        }
    }

    private static T Use<T>(string key, string path, Func<T> use)
    {
        try
        {
            return use();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            throw new StartException($"{key}: the tenants' secret in '{path}' cannot be used: {e.Message}", e);
        }
    }

    private static byte[] Written(string path, byte[] secret)
    {
        SecretFile.Write(path, secret);
        return secret;
    }

    [LoggerMessage(1, LogLevel.Warning, "Waiting for the conversation store's Redis, to agree with the other servers on the tenants' secret: {Reason}")]
    private static partial void Waiting(ILogger logger, string reason);

    [LoggerMessage(3, LogLevel.Warning, "The tenants' secret is this server's own, in {Path}: it shares blocks on Redis with servers that have the same one (KvTiers:TenantSecretFile), or that have their conversations on one Redis (KvTiers:Store)")]
    private static partial void Own(ILogger logger, string path);

    [LoggerMessage(2, LogLevel.Warning, "The conversation store's Redis is away: the tenants' secret is the one that this server knows from before")]
    private static partial void FromCopy(ILogger logger);
}
