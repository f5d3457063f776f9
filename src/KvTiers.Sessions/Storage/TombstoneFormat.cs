using System.Text.Json;
using KvTiers.Conversations;
using KvTiers.Prefix;
using KvTiers.Sessions.Serialization;

namespace KvTiers.Sessions.Storage;

/// <summary>A tombstone as bytes: a JSON object, so that an operator can read what is owed.</summary>
public static class TombstoneFormat
{
    private const int Version = 1;

    private static byte[] Context => RecordSealer.ContextOf("tombstone");

    /// <summary>The bytes of a tombstone, sealed if there are keys.</summary>
    public static byte[] Write(Tombstone tombstone, RecordSealer sealer)
    {
        ArgumentNullException.ThrowIfNull(tombstone);
        ArgumentNullException.ThrowIfNull(sealer);
        return sealer.Seal(Context, JsonSerializer.SerializeToUtf8Bytes(
            new Body
            {
                Format = Version,
                Id = tombstone.Id,
                Tenant = tombstone.Key.Tenant,
                Conversation = tombstone.Key.Id,
                Incarnation = tombstone.Version.Incarnation,
                Number = tombstone.Version.Number,
                Owner = tombstone.Owner,
                Root = tombstone.Root.ToString(),
                Paths = [.. tombstone.Paths.Select(path => path.ToArray())],
                DeletedAt = tombstone.DeletedAt,
            },
            ConversationJson.Options));
    }

    /// <summary>The tombstone in these bytes.</summary>
    /// <exception cref="FormatException">They are none, or nobody with a key wrote them.</exception>
    public static Tombstone Read(byte[] bytes, RecordSealer sealer)
    {
        ArgumentNullException.ThrowIfNull(sealer);
        try
        {
            Body body = JsonSerializer.Deserialize<Body>(sealer.Open(bytes, Context, out _).Span, ConversationJson.Options) ?? throw new FormatException("It is empty.");
            return body.Format != Version
                ? throw new FormatException($"Its format is {body.Format}, not {Version}.")
                : new Tombstone
                {
                    Id = body.Id,
                    Key = new(body.Tenant, body.Conversation),
                    Version = new(body.Incarnation, body.Number),
                    Owner = body.Owner,
                    Root = BlockHash.Parse(body.Root),
                    Paths = [.. body.Paths.Select(path => new ReadOnlyMemory<int>(path))],
                    DeletedAt = body.DeletedAt,
                };
        }
        catch (Exception exception) when (exception is JsonException or ArgumentException)
        {
            throw new FormatException($"It cannot be read: {exception.Message}", exception);
        }
    }

    private sealed record Body
    {
        public required int Format { get; init; }

        public required Guid Id { get; init; }

        public required string Tenant { get; init; }

        public required string Conversation { get; init; }

        public required Guid Incarnation { get; init; }

        public required long Number { get; init; }

        public required string Owner { get; init; }

        public required string Root { get; init; }

        public required IReadOnlyList<int[]> Paths { get; init; }

        public required DateTimeOffset DeletedAt { get; init; }
    }
}
