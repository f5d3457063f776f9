using System.Collections.Immutable;
using KvTiers.Serialization;

namespace KvTiers.Sessions.Serialization;

/// <summary>Reads one MessagePack map whose keys are field names, in any order. Fields that nobody asks for are passed over.</summary>
/// <remarks>Every method throws <see cref="FormatException"/> when the field is missing or is something else.</remarks>
internal readonly ref struct FieldReader
{
    private readonly ReadOnlySpan<byte> _bytes;
    private readonly Dictionary<string, Range> _fields = [];

    public FieldReader(ReadOnlySpan<byte> bytes)
    {
        var reader = new MessagePackReader(bytes);
        for (int left = reader.ReadMapHeader(); left > 0; left--)
        {
            string name = reader.ReadString();
            int start = reader.Position;
            reader.Skip();
            if (!_fields.TryAdd(name, start..reader.Position))
                throw new FormatException($"The field '{name}' stands twice.");
        }

        if (!reader.AtEnd)
            throw new FormatException($"The map ends at offset {reader.Position} of {bytes.Length}.");
        _bytes = bytes;
    }

    public delegate T ReadValue<T>(ref MessagePackReader reader);

    public delegate T ReadFields<T>(FieldReader fields);

    public string Text(string name) => Required(name).ReadString();

    public string? TextOrNull(string name) => TryFind(name, out MessagePackReader reader) ? reader.ReadString() : null;

    public long Int64(string name) => Required(name).ReadInt64();

    public int Int32(string name) => Required(name).ReadInt32();

    public double Double(string name) => Required(name).ReadDouble();

    public DateTimeOffset Time(string name) => TimeOrNull(name) ?? throw Missing(name);

    public DateTimeOffset? TimeOrNull(string name)
    {
        if (!TryFind(name, out MessagePackReader reader))
            return null;
        long ticks = reader.ReadInt64();
        return ticks >= DateTimeOffset.MinValue.UtcTicks && ticks <= DateTimeOffset.MaxValue.UtcTicks
            ? new DateTimeOffset(ticks, TimeSpan.Zero)
            : throw new FormatException($"The field '{name}' is {ticks}, which is no time.");
    }

    public Guid Guid(string name)
    {
        ReadOnlySpan<byte> bytes = Required(name).ReadBytes();
        return bytes.Length == 16
            ? new Guid(bytes, bigEndian: true)
            : throw new FormatException($"The field '{name}' has {bytes.Length} bytes; it must have 16.");
    }

    public ConversationKey Key(string tenantName, string idName)
    {
        try
        {
            return new ConversationKey(Text(tenantName), Text(idName));
        }
        catch (ArgumentException exception)
        {
            throw new FormatException($"The fields '{tenantName}' and '{idName}' are no key: {exception.Message}", exception);
        }
    }

    public int[]? NumbersOrNull(string name) => TryFind(name, out MessagePackReader reader) ? reader.ReadInt32Array() : null;

    public ImmutableArray<T> List<T>(string name, ReadValue<T> read)
    {
        MessagePackReader reader = Required(name);
        int count = reader.ReadArrayHeader();
        ImmutableArray<T>.Builder values = ImmutableArray.CreateBuilder<T>(count);
        for (; count > 0; count--)
            values.Add(read(ref reader));
        return values.MoveToImmutable();
    }

    public T? Nested<T>(string name, ReadFields<T> read)
        where T : class => _fields.TryGetValue(name, out Range range) ? read(new FieldReader(_bytes[range])) : null;

    private bool TryFind(string name, out MessagePackReader reader)
    {
        bool found = _fields.TryGetValue(name, out Range range);
        reader = found ? new MessagePackReader(_bytes[range]) : default;
        return found;
    }

    private MessagePackReader Required(string name) => TryFind(name, out MessagePackReader reader) ? reader : throw Missing(name);

    private static FormatException Missing(string name) => new($"The field '{name}' is missing.");
}
