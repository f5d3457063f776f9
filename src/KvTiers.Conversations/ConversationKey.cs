namespace KvTiers.Conversations;

/// <summary>Names one conversation: a tenant and an id that is unique within it.</summary>
public readonly record struct ConversationKey
{
    /// <summary>Longest tenant or id, in characters.</summary>
    public const int MaxLength = 128;

    /// <summary>A key whose parts hold 1 to 128 characters out of <c>A–Z a–z 0–9 . _ : -</c>.</summary>
    /// <exception cref="ArgumentException">A part is empty, too long, or holds another character.</exception>
    public ConversationKey(string tenant, string id)
    {
        Validate(tenant, nameof(tenant));
        Validate(id, nameof(id));
        Tenant = tenant;
        Id = id;
    }

    /// <summary>Whose conversation it is. Tenants never share blocks.</summary>
    public string Tenant { get; }

    /// <summary>The conversation's id within the tenant.</summary>
    public string Id { get; }

    /// <inheritdoc/>
    public override string ToString() => $"{Tenant}/{Id}";

    /// <summary>Checks an id that a conversation is to be given: not <c>.</c> or <c>..</c>, which are steps in every URL's path, so that no route could reach it.</summary>
    /// <exception cref="ArgumentException">It is one of the two, or breaks a rule of <see cref="Validate"/>.</exception>
    public static void ValidateNew(string id, string name)
    {
        Validate(id, name);
        if (id is "." or "..")
            throw new ArgumentException($"{name} is '{id}'; it must not be '.' or '..', which no URL can name.", name);
    }

    /// <summary>Checks one part of a key.</summary>
    /// <exception cref="ArgumentException">It is empty, longer than <see cref="MaxLength"/>, or holds a character outside the set.</exception>
    public static void Validate(string value, string name)
    {
        ArgumentNullException.ThrowIfNull(value, name);
        if (value.Length is 0 or > MaxLength)
            throw new ArgumentException($"{name} has {value.Length} characters; it must have 1 to {MaxLength}.", name);
        foreach (char c in value)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '_' or ':' or '-'))
                throw new ArgumentException($"{name} holds the character U+{(int)c:X4}; only A–Z, a–z, 0–9, '.', '_', ':' and '-' may stand in it.", name);
        }
    }
}
