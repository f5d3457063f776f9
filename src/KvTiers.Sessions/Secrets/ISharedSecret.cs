namespace KvTiers.Sessions.Secrets;

/// <summary>A store that several processes share, and through which they agree on the secret of <see cref="TenantSalts"/>.</summary>
public interface ISharedSecret
{
    /// <summary>Keeps a secret, unless one is kept already.</summary>
    /// <returns>The one that is kept: all who ask get the same.</returns>
    /// <exception cref="IOException">The store cannot be reached.</exception>
    /// <exception cref="FormatException">What it keeps is no secret.</exception>
    ValueTask<byte[]> AgreeAsync(byte[] candidate, CancellationToken cancellationToken = default);
}
