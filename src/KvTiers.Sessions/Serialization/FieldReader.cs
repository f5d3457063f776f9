using System.Collections.Immutable;
using KvTiers.Conversations;
using KvTiers.Serialization;
using MessagePack;

namespace KvTiers.Sessions.Serialization;

/// <summary>Reads one MessagePack map whose keys are field names, in any order. Each field is read once; those that nobody asks for are passed over.</summary>
/// <remarks>
/// Every method throws <see cref="FormatException"/> when the field is missing or is something else. The library finds where each field ends and is not
/// trusted in it: a field must then be one sound value of just that length, whether it is read or passed over. Fields are read by hand, since attributes
/// pass over missing and doubled ones.
/// </remarks>
internal readonly struct FieldReader
{
    private readonly ReadOnlyMemory<byte> _bytes;
    private readonly Dictionary<string, Range> _unread;

    private FieldReader(ReadOnlyMemory<byte> bytes)
    {
        _bytes = bytes;
        _unread = StrictMessagePack.Decode(bytes, FindFields);
    }

    /// <summary>Reads a map.</summary>
    /// <param name="bytes">The map, and nothing after it.</param>
    /// <param name="read">Asks for its fields.</param>
    public static T Read<T>(ReadOnlyMemory<byte> bytes, Func<FieldReader, T> read)
    {
        var fields = new FieldReader(bytes);
        T value = read(fields);
        foreach (string name in fields._unread.Keys)
            fields.Required(name, PassOver);
        return value;
    }

    public string Text(string name) => Required(name, static (ref reader) => reader.ReadText());

    public string? TextOrNull(string name) => Optional(name, static (ref reader) => reader.ReadText());

    public long Int64(string name) => Required(name, static (ref reader) => reader.ReadInt64());

    public int Int32(string name) => Required(name, static (ref reader) => reader.ReadInt32());

    public int? Int32OrNull(string name) => _unread.ContainsKey(name) ? Int32(name) : null;

    public T? ValueOrNull<T>(string name, ReadValue<T?> read)
        where T : class => _unread.ContainsKey(name) ? Required(name, read) : null;

    /// <summary>A field that is only there when it is true.</summary>
    public bool Flag(string name) => _unread.ContainsKey(name) && Required(name, static (ref reader) => reader.ReadBoolean());

    public double Double(string name) => Required(name, static (ref reader) => reader.ReadDouble());

    public DateTimeOffset Time(string name) => Required(name, static (ref reader) => new DateTimeOffset(reader.ReadInt64(), TimeSpan.Zero));

    public DateTimeOffset? TimeOrNull(string name) => _unread.ContainsKey(name) ? Time(name) : null;

    public Guid Guid(string name) => Required(name, static (ref reader) => new Guid(reader.ReadBinary(), bigEndian: true));

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

    public int[] Numbers(string name) => Required(name, static (ref reader) => reader.ReadNumbers());

    public int[]? NumbersOrNull(string name) => Optional(name, static (ref reader) => reader.ReadNumbers());

    public ImmutableArray<T> List<T>(string name, ReadValue<T> read) => Required(name, (ref reader) =>
    {
        int count = reader.ReadArrayHeader();
        ImmutableArray<T>.Builder values = ImmutableArray.CreateBuilder<T>(count);
        for (; count > 0; count--)
            values.Add(read(ref reader));
        return values.MoveToImmutable();
    });

    public ImmutableArray<T> ListOrEmpty<T>(string name, ReadValue<T> read) => _unread.ContainsKey(name) ? List(name, read) : [];

    public ImmutableArray<T>? ListOrNull<T>(string name, ReadValue<T> read) => _unread.ContainsKey(name) ? List(name, read) : null;

    public T? Nested<T>(string name, Func<FieldReader, T> read)
        where T : class => _unread.Remove(name, out Range range) ? Read(_bytes[range], read) : null;

    private T Required<T>(string name, ReadValue<T> read)
    {
        if (!_unread.Remove(name, out Range range))
            throw new FormatException($"The field '{name}' is missing.");
        try
        {
            return StrictMessagePack.Decode(_bytes[range], read);
        }
        catch (FormatException fault)
        {
            throw new FormatException($"The field '{name}' cannot be read. {fault.Message}", fault);
        }
    }

    private T? Optional<T>(string name, ReadValue<T> read)
        where T : class => _unread.ContainsKey(name) ? Required(name, read) : null;

    private static bool PassOver(ref MessagePackReader reader)
    {
        reader.SkipValue();
        return true;
    }

    private static Dictionary<string, Range> FindFields(ref MessagePackReader reader)
    {
        var fields = new Dictionary<string, Range>();
        for (int left = reader.ReadMapHeader(); left > 0; left--)
        {
            string name = reader.ReadText();
            int start = (int)reader.Consumed;
            reader.Skip();
            if (!fields.TryAdd(name, start..(int)reader.Consumed))
                throw new FormatException($"The field '{name}' stands twice.");
        }

        return fields;
    }
}
