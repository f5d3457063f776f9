using System.Buffers;
using System.Text.Json;
using KvTiers.Conversations;
using Orleans.Serialization;
using Orleans.Serialization.Buffers;
using Orleans.Serialization.Cloning;
using Orleans.Serialization.Codecs;
using Orleans.Serialization.Serializers;
using Orleans.Serialization.WireProtocol;

namespace KvTiers.Orleans.Serialization;

/// <summary>The records of <c>KvTiers.Conversations</c> inside Orleans' messages: their one contract, the one they have over HTTP (<see cref="ConversationJson"/>).</summary>
/// <remarks>
/// A tag-delimited object: 0 = the name of the type (<see cref="WireNames"/>), 1 = its UTF-8. Members may be added without silos of two builds misreading each
/// other: one that is not known is passed over. The records are immutable, so a call within a silo passes them as they are.
/// </remarks>
[Alias("kvt.sessions")]
internal sealed class SessionsCodec : IGeneralizedCodec, IGeneralizedCopier, ITypeFilter
{
    public bool IsSupportedType(Type type) =>
        type == typeof(SessionsCodec) || WireNames.Json.ContainsKey(type);

    public bool? IsTypeAllowed(Type type) => IsSupportedType(type) ? true : null;

    public object? DeepCopy(object? input, CopyContext context) => input;

    public void WriteField<TBufferWriter>(ref Writer<TBufferWriter> writer, uint fieldIdDelta, Type? expectedType, object? value)
        where TBufferWriter : IBufferWriter<byte>
    {
        if (ReferenceCodec.TryWriteReferenceField(ref writer, fieldIdDelta, expectedType, value))
            return;
        writer.WriteFieldHeader(fieldIdDelta, expectedType, typeof(SessionsCodec), WireType.TagDelimited);
        ReferenceCodec.MarkValueField(writer.Session);
        writer.WriteFieldHeaderExpected(0, WireType.LengthPrefixed);
        writer.Session.TypeCodec.WriteLengthPrefixed(ref writer, value!.GetType());
        ReferenceCodec.MarkValueField(writer.Session);
        writer.WriteFieldHeaderExpected(1, WireType.LengthPrefixed);
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(value, value.GetType(), ConversationJson.Options);
        writer.WriteVarUInt32((uint)json.Length);
        writer.Write(json);
        writer.WriteEndObject();
    }

    public object? ReadValue<TInput>(ref Reader<TInput> reader, Field field)
    {
        if (field.IsReference)
            return ReferenceCodec.ReadReference(ref reader, field.FieldType);
        field.EnsureWireTypeTagDelimited();
        uint reference = ReferenceCodec.CreateRecordPlaceholder(reader.Session);
        Type? type = null;
        object? value = null;
        uint id = 0;
        while (true)
        {
            Field header = reader.ReadFieldHeader();
            if (header.IsEndBaseOrEndObject)
                break;
            id += header.FieldIdDelta;
            if (id > 1)
            {
                reader.ConsumeUnknownField(header);
                continue;
            }

            ReferenceCodec.MarkValueField(reader.Session);
            if (id == 0)
                type = reader.Session.TypeCodec.ReadLengthPrefixed(ref reader);
            else
                value = JsonSerializer.Deserialize(reader.ReadBytes(reader.ReadVarUInt32()), Known(type), ConversationJson.Options);
        }

        ReferenceCodec.RecordObject(reader.Session, value, reference);
        return value ?? throw new FormatException("A record of a conversation message has no content.");
    }

    private Type Known(Type? type) =>
        type is not null && IsSupportedType(type) ? type : throw new FormatException($"A conversation message holds a record of type '{type}', which is none of its.");
}
