using System.Text;

namespace KvTiers.Sessions;

/// <summary>What keeps tenants' blocks apart: part of the root of every prefix hash.</summary>
public static class TenantSalt
{
    /// <summary>The salt under which this tenant's blocks are found. Completions outside conversations use it too, so that both share prefixes.</summary>
    /// <exception cref="ArgumentException">The tenant's name is not allowed, see <see cref="ConversationKey"/>.</exception>
    public static byte[] For(string tenant)
    {
        ConversationKey.Validate(tenant, nameof(tenant));
        return Encoding.ASCII.GetBytes(tenant);
    }
}
