using System.Security.Cryptography;
using System.Text;
using KvTiers.Conversations;

namespace KvTiers.Sessions.Secrets;

/// <summary>Keeps tenants' blocks apart: each tenant's salt is part of the root of every prefix hash. All who name blocks ask one object.</summary>
/// <remarks>
/// A salt is HMAC-SHA256(secret, tenant), so it is 32 bytes that nobody can guess who does not have the secret, whatever they know of the tenant; whoever can list
/// the keys of a shared tier cannot test guesses of a prompt. One random secret of 32 bytes serves all tenants, and all processes that share a tier: they agree on
/// it once, and a new tenant costs no storing. With another secret every block is a miss; no conversation is lost. Thread-safe.
/// </remarks>
public sealed class TenantSalts
{
    /// <summary>Length of the secret, and of a salt.</summary>
    public const int ByteCount = 32;

    private readonly byte[] _secret;

    /// <summary>Salts by a secret.</summary>
    /// <exception cref="ArgumentException">The secret does not have <see cref="ByteCount"/> bytes.</exception>
    public TenantSalts(ReadOnlySpan<byte> secret)
    {
        if (secret.Length != ByteCount)
            throw new ArgumentException($"The secret has {secret.Length} bytes; it must have {ByteCount}.", nameof(secret));
        _secret = secret.ToArray();
    }

    /// <summary>A new secret.</summary>
    public static byte[] NewSecret() => RandomNumberGenerator.GetBytes(ByteCount);

    /// <summary>The salt under which this tenant's blocks are found. Completions outside conversations use it too, so that both share prefixes.</summary>
    /// <exception cref="ArgumentException">The tenant's name is not allowed, see <see cref="ConversationKey"/>.</exception>
    public byte[] For(string tenant)
    {
        ConversationKey.Validate(tenant, nameof(tenant));
        return HMACSHA256.HashData(_secret, Encoding.ASCII.GetBytes(tenant));
    }

    /// <summary>As <see cref="For(string)"/>, for what a tenant keeps apart from its own other blocks: blocks of two cache salts are never found for one another, nor those of none.</summary>
    /// <param name="tenant">The tenant.</param>
    /// <param name="cacheSalt">Its own further salt; null = none.</param>
    /// <exception cref="ArgumentException">The tenant's name is not allowed, see <see cref="ConversationKey"/>.</exception>
    public byte[] For(string tenant, string? cacheSalt) =>
        cacheSalt is null ? For(tenant) : HMACSHA256.HashData(For(tenant), Encoding.UTF8.GetBytes(cacheSalt));
}
