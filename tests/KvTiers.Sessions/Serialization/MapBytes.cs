using System.Buffers;
using System.Text;
using MessagePack;

namespace KvTiers.Sessions.Tests.Serialization;

/// <summary>Takes a MessagePack map apart and puts it together again, sound or not.</summary>
internal static class MapBytes
{
    /// <summary>Names and values, as they stand.</summary>
    public static List<(string Name, byte[] Value)> Fields(byte[] map)
    {
        var fields = new List<(string, byte[])>();
        var reader = new MessagePackReader(map);
        for (int left = reader.ReadMapHeader(); left > 0; left--)
            fields.Add((reader.ReadString()!, reader.ReadRaw().ToArray()));
        Assert.True(reader.End);
        return fields;
    }

    public static byte[] Join(IReadOnlyCollection<(string Name, byte[] Value)> fields)
    {
        var bytes = new ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(bytes);
        writer.WriteMapHeader(fields.Count);
        foreach ((string name, byte[] value) in fields)
        {
            writer.Write(name);
            writer.WriteRaw(value);
        }

        writer.Flush();
        return bytes.WrittenSpan.ToArray();
    }

    /// <summary>The map with another value in the field at <paramref name="path"/>, which may lead into maps within it: <c>turn/difference/role</c>.</summary>
    public static byte[] With(byte[] map, string path, byte[]? value) => Change(map, path, (fields, index) =>
    {
        if (value is null)
            fields.RemoveAt(index);
        else
            fields[index] = (fields[index].Name, value);
    });

    public static byte[] Doubled(byte[] map, string path) => Change(map, path, (fields, index) => fields.Add(fields[index]));

    /// <summary>Every field, those of maps within it too.</summary>
    public static IEnumerable<string> Paths(byte[] map) => Fields(map).SelectMany(field => IsMap(field.Value)
        ? Paths(field.Value).Select(inner => $"{field.Name}/{inner}").Prepend(field.Name)
        : [field.Name]);

    public static byte[] ValueAt(byte[] map, string path) =>
        path.Split('/').Aggregate(map, (inner, name) => Fields(inner).Single(field => field.Name == name).Value);

    /// <summary>Where each text's bytes are, names of fields included.</summary>
    public static IEnumerable<Range> Texts(byte[] value)
    {
        var texts = new List<Range>();
        var reader = new MessagePackReader(value);
        while (!reader.End)
        {
            switch (reader.NextMessagePackType)
            {
                case MessagePackType.Array:
                    reader.ReadArrayHeader();
                    break;
                case MessagePackType.Map:
                    reader.ReadMapHeader();
                    break;
                case MessagePackType.String:
                    int length = Encoding.UTF8.GetByteCount(reader.ReadString()!);
                    texts.Add(((int)reader.Consumed - length)..(int)reader.Consumed);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return texts;
    }

    public static bool IsMap(byte[] value) => new MessagePackReader(value).NextMessagePackType == MessagePackType.Map;

    private static byte[] Change(byte[] map, string path, Action<List<(string Name, byte[] Value)>, int> change)
    {
        List<(string Name, byte[] Value)> fields = Fields(map);
        string[] names = path.Split('/', 2);
        int index = fields.FindIndex(field => field.Name == names[0]);
        if (names.Length == 1)
            change(fields, index);
        else
            fields[index] = (names[0], Change(fields[index].Value, names[1], change));
        return Join(fields);
    }
}
