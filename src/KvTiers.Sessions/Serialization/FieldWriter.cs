using KvTiers.Serialization;

namespace KvTiers.Sessions.Serialization;

/// <summary>Writes one MessagePack map whose keys are field names. Null fields are left out.</summary>
internal sealed class FieldWriter
{
    private readonly MessagePackWriter _body = new();
    private int _count;

    public void Field(string name, string? value)
    {
        if (value is not null)
            Named(name).Write(value);
    }

    public void Field(string name, long value) => Named(name).Write(value);

    public void Field(string name, double value) => Named(name).Write(value);

    public void Field(string name, Guid value) => Named(name).Write(value.ToByteArray(bigEndian: true));

    /// <summary>A time is the number of 100 ns ticks since year 1 in UTC, as .NET counts them, so that it comes back exactly.</summary>
    public void Field(string name, DateTimeOffset? value)
    {
        if (value is not null)
            Named(name).Write(value.Value.UtcTicks);
    }

    public void Field(string name, int[]? values)
    {
        if (values is not null)
            Named(name).Write(values.AsSpan());
    }

    public void Field<T>(string name, IReadOnlyList<T> values, Action<MessagePackWriter, T> write)
    {
        Named(name).WriteArrayHeader(values.Count);
        foreach (T value in values)
            write(_body, value);
    }

    public void Field<T>(string name, T? value, Func<T, byte[]> encode)
        where T : class
    {
        if (value is not null)
            Named(name).WriteRaw(encode(value));
    }

    public byte[] ToArray()
    {
        var whole = new MessagePackWriter();
        whole.WriteMapHeader(_count);
        whole.WriteRaw(_body.Written);
        return whole.Written.ToArray();
    }

    private MessagePackWriter Named(string name)
    {
        _count++;
        _body.Write(name);
        return _body;
    }
}
