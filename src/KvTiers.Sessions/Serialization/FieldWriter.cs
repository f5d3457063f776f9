using System.Buffers;
using KvTiers.Serialization;
using MessagePack;

namespace KvTiers.Sessions.Serialization;

/// <summary>Writes MessagePack maps whose keys are field names, straight to where they go. Null fields are left out.</summary>
/// <remarks>
/// A map begins with the number of its fields. So its fields are gone through twice: first only to count those that are there.
/// Fields are written by hand, since attributes would write nil for a field that is left out.
/// </remarks>
internal ref struct FieldWriter(IBufferWriter<byte> output)
{
    private MessagePackWriter _writer = new(output);
    private bool _isCounting;
    private int _count;

    public delegate void WriteValue<in T>(ref MessagePackWriter writer, T value);

    public delegate void WriteFields<in T>(ref FieldWriter fields, T value);

    /// <summary>Writes one map.</summary>
    public static void Write<T>(IBufferWriter<byte> output, T value, WriteFields<T> write)
    {
        var fields = new FieldWriter(output);
        fields.Map(value, write);
        fields._writer.Flush();
    }

    public void Field(string name, string? value)
    {
        if (value is not null && Begins(name))
            _writer.WriteText(value);
    }

    public void Field(string name, long value)
    {
        if (Begins(name))
            _writer.Write(value);
    }

    public void Field(string name, double value)
    {
        if (Begins(name))
            _writer.Write(value);
    }

    public void Field(string name, Guid value)
    {
        if (!Begins(name))
            return;
        _writer.WriteBinHeader(16);
        value.TryWriteBytes(_writer.GetSpan(16), bigEndian: true, out int written);
        _writer.Advance(written);
    }

    /// <summary>A time is the number of 100 ns ticks since year 1 in UTC, as .NET counts them, so that it comes back exactly.</summary>
    public void Field(string name, DateTimeOffset? value)
    {
        if (value is not null && Begins(name))
            _writer.Write(value.Value.UtcTicks);
    }

    public void Field<T>(string name, T value, WriteValue<T> write)
    {
        if (Begins(name))
            write(ref _writer, value);
    }

    public void List<T>(string name, IReadOnlyList<T> values, WriteValue<T> write)
    {
        if (!Begins(name))
            return;
        _writer.WriteArrayHeader(values.Count);
        for (int i = 0; i < values.Count; i++)
            write(ref _writer, values[i]);
    }

    public void Map<T>(string name, T? value, WriteFields<T> write)
        where T : class
    {
        if (value is not null && Begins(name))
            Map(value, write);
    }

    private void Map<T>(T value, WriteFields<T> write)
    {
        _isCounting = true;
        _count = 0;
        write(ref this, value);
        _isCounting = false;
        _writer.WriteMapHeader(_count);
        write(ref this, value);
    }

    private bool Begins(string name)
    {
        if (_isCounting)
            _count++;
        else
            _writer.WriteText(name);
        return !_isCounting;
    }
}
