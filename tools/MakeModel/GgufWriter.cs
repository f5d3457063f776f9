using System.Text;

namespace KvTiers.MakeModel;

/// <summary>Writes a GGUF file of version 3.</summary>
public static class GgufWriter
{
    private const int Alignment = 32;

    /// <summary>The whole file.</summary>
    /// <param name="metadata">Keys and values: <see cref="string"/>, <see cref="uint"/>, <see cref="float"/>, <see cref="bool"/>, and arrays of strings or of <see cref="int"/>.</param>
    /// <param name="tensors">In the order in which they are written.</param>
    /// <exception cref="ArgumentException">A value is of another type.</exception>
    public static byte[] Write(IReadOnlyDictionary<string, object> metadata, IReadOnlyList<WrittenTensor> tensors)
    {
        using MemoryStream stream = new();
        using BinaryWriter writer = new(stream);
        writer.Write("GGUF"u8);
        writer.Write(3u);
        writer.Write((ulong)tensors.Count);
        writer.Write((ulong)metadata.Count);
        foreach ((string key, object value) in metadata)
        {
            Text(writer, key);
            Value(writer, value);
        }
        ulong offset = 0;
        foreach (WrittenTensor tensor in tensors)
        {
            Text(writer, tensor.Name);
            writer.Write((uint)tensor.Shape.Length);
            foreach (int size in tensor.Shape.Reverse())
                writer.Write((ulong)size);
            writer.Write(tensor.Type);
            writer.Write(offset);
            offset += (ulong)((tensor.Data.Length + Alignment - 1) / Alignment * Alignment);
        }
        Align();
        foreach (WrittenTensor tensor in tensors)
        {
            writer.Write(tensor.Data);
            Align();
        }
        writer.Flush();
        return stream.ToArray();

        void Align()
        {
            while (stream.Position % Alignment != 0)
                writer.Write((byte)0);
        }
    }

    private static void Text(BinaryWriter writer, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        writer.Write((ulong)bytes.Length);
        writer.Write(bytes);
    }

    private static void Value(BinaryWriter writer, object value)
    {
        switch (value)
        {
            case uint number:
                writer.Write(4u);
                writer.Write(number);
                break;
            case float number:
                writer.Write(6u);
                writer.Write(number);
                break;
            case bool flag:
                writer.Write(7u);
                writer.Write(flag);
                break;
            case string text:
                writer.Write(8u);
                Text(writer, text);
                break;
            case int[] numbers:
                writer.Write(9u);
                writer.Write(5u);
                writer.Write((ulong)numbers.Length);
                foreach (int number in numbers)
                    writer.Write(number);
                break;
            case string[] texts:
                writer.Write(9u);
                writer.Write(8u);
                writer.Write((ulong)texts.Length);
                foreach (string text in texts)
                    Text(writer, text);
                break;
            default:
                throw new ArgumentException($"A value is of type {value.GetType()}.", nameof(value));
        }
    }
}
