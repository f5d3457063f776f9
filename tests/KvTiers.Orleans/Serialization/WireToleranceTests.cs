using System.Buffers;
using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using KvTiers.Conversations;
using KvTiers.Orleans.Placement;
using KvTiers.Orleans.Serialization;
using KvTiers.Orleans.Streaming;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization.Buffers;
using Orleans.Serialization.Codecs;
using Orleans.Serialization.Session;
using Orleans.Serialization.WireProtocol;

namespace KvTiers.Orleans.Tests.Serialization;

/// <summary>Messages of the next build and of the one before: what is not known is passed over, what is not there has its default or a clear error.</summary>
public sealed class WireToleranceTests
{
    public static TheoryData<Type> Records => [.. WireContract.Records.Concat(WireNames.Surrogates.Keys).Concat(WireNames.Json.Keys)];

    public static TheoryData<Type> JsonRecords => [.. WireNames.Json.Keys];

    [Theory]
    [MemberData(nameof(Records))]
    public void AMemberOfTheNextBuildIsPassedOver(Type type)
    {
        byte[] bytes = Write(type, Make(type));
        byte[] next = Encode((ref Writer<ArrayBufferWriter<byte>> writer) =>
        {
            // All but the end of the object, then two members under numbers that nothing has.
            writer.Write(bytes.AsSpan(..^1));
            StringCodec.WriteField(ref writer, 5, "of the next build");
            ObjectCodec.WriteField(ref writer, 20, new List<object> { 1, "two", new EditRequest { Index = 3, Content = "four" } });
            writer.WriteEndObject();
        });
        Assert.Equal(bytes, Write(type, Read(type, next)));
    }

    [Theory]
    [MemberData(nameof(JsonRecords))]
    public void AJsonMemberOfTheNextBuildIsPassedOver(Type type)
    {
        JsonObject json = JsonOf(type);
        string before = json.ToJsonString(ConversationJson.Options);
        json["of_the_next_build"] = new JsonObject { ["a"] = new JsonArray(1, "two") };
        Assert.Equal(before, JsonSerializer.Serialize(ReadJson(type, WireNames.Json[type], json), type, ConversationJson.Options));
    }

    [Theory]
    [MemberData(nameof(JsonRecords))]
    public void AJsonMemberThatIsMissingHasItsDefaultOrIsNamed(Type type)
    {
        foreach (JsonPropertyInfo property in ConversationJson.Options.GetTypeInfo(type).Properties)
        {
            JsonObject json = JsonOf(type);
            json.Remove(property.Name);
            if (property.IsRequired)
                Assert.Contains(property.Name, Assert.Throws<JsonException>(() => ReadJson(type, WireNames.Json[type], json)).Message, StringComparison.Ordinal);
            else
                Assert.NotNull(ReadJson(type, WireNames.Json[type], json));
        }
    }

    [Fact]
    public void AMemberThatIsMissingHasItsDefaultOrIsNamed()
    {
        foreach (Type type in WireNames.Surrogates.Keys)
        {
            foreach (FieldInfo missing in WireContract.SurrogateOf(type).GetFields())
            {
                byte[] older = WithoutMember(type, missing);
                try
                {
                    Assert.NotNull(Read(type, older));
                    Assert.DoesNotContain(missing.Name, Needed);
                }
                catch (FormatException exception)
                {
                    Assert.Equal($"A message between silos lacks '{missing.Name}'.", exception.Message);
                    Assert.Contains(missing.Name, Needed);
                }
            }
        }
    }

    [Fact]
    public void DefaultsAreThoseOfTheRecord()
    {
        Type options = typeof(GenerationOptions);
        Assert.Equal(new GenerationOptions(), Read(options, Encode(options, [])));
        Assert.Equal(new GenerationOptions(), ((TurnRequest)Read(typeof(TurnRequest), WithoutMember(typeof(TurnRequest), Member(typeof(TurnRequest), "Options")))).Options);
        Assert.Equal(0, ((TurnCompleted)Read(typeof(TurnCompleted), WithoutMember(typeof(TurnCompleted), Member(typeof(TurnCompleted), "Cached")))).Usage.Cached.Total);
    }

    [Fact]
    public void ABatchWithoutItsTextsIsRefused()
    {
        var batch = (TurnBatch)Read(typeof(TurnBatch), Encode(typeof(TurnBatch), [(1, new[] { 7, 8 })]));
        Assert.Throws<FormatException>(() => batch.Events.ToArray());
        Assert.Empty(((TurnBatch)Read(typeof(TurnBatch), Encode(typeof(TurnBatch), []))).Events);
    }

    [Fact]
    public void AnOpeningThatIsNotWholeIsNone()
    {
        object whole = Read(typeof(PlacementOpening), Encode(typeof(PlacementOpening), [(0, new[] { "user" }), (1, new[] { "x" })]));
        object half = Read(typeof(PlacementOpening), Encode(typeof(PlacementOpening), [(0, new[] { "user" })]));
        Assert.NotNull(PlacementOpening.From(new Dictionary<string, object> { [PlacementOpening.RequestKey] = whole }));
        Assert.Null(PlacementOpening.From(new Dictionary<string, object> { [PlacementOpening.RequestKey] = half }));
    }

    [Fact]
    public void AKindOfFaultThatIsNotKnownIsTold()
    {
        ConversationFault fault = SessionsCodecTests.Travel(new ConversationFault((ConversationFaultKind)77, "Something new."));
        Assert.Equal("Something new.", Assert.IsType<IOException>(fault.ToException(null)).Message);
    }

    [Fact]
    public void ARecordThatIsNotKnownIsAClearError()
    {
        Exception exception = Assert.ThrowsAny<Exception>(() => ReadJson(typeof(EditRequest), "kvt.of-the-next-build", []));
        Assert.Contains("kvt.of-the-next-build", exception.Message, StringComparison.Ordinal);
        Assert.Throws<FormatException>(() => ReadJson(typeof(EditRequest), "string", []));
    }

    private delegate void Writing(ref Writer<ArrayBufferWriter<byte>> writer);

    // What a turn makes no sense without.
    private static string[] Needed => ["Conversation", "FinishReason", "Role", "Content", "Roles", "Contents", "Biases"];

    private static object Make(Type type) => type == typeof(ConversationFault) ? new ConversationFault(ConversationFaultKind.Conflict, "x") { Subject = "a/b", First = 1, Second = 2 } : Filled.Of(type);

    private static JsonObject JsonOf(Type type) => JsonSerializer.SerializeToNode(Filled.Of(type), type, ConversationJson.Options)!.AsObject();

    private static FieldInfo Member(Type record, string name) => WireContract.SurrogateOf(record).GetField(name)!;

    private static byte[] WithoutMember(Type record, FieldInfo missing)
    {
        Type stand = WireContract.SurrogateOf(record);
        Type converter = typeof(WireNames).Assembly.GetTypes().Single(type => type.IsAssignableTo(typeof(IConverter<,>).MakeGenericType(record, stand)));
        object values = converter.GetMethod("ConvertToSurrogate")!.Invoke(Activator.CreateInstance(converter), [Filled.Of(record)])!;
        return Encode(record, [.. stand.GetFields().Where(field => field != missing).Select(field => (field.GetCustomAttribute<IdAttribute>()!.Id, field.GetValue(values)))]);
    }

    // An object with these members, as the codec that Orleans generates writes it.
    private static byte[] Encode(Type type, (uint Id, object? Value)[] members) => Encode((ref Writer<ArrayBufferWriter<byte>> writer) =>
    {
        ReferenceCodec.MarkValueField(writer.Session);
        writer.WriteStartObject(0, type, type);
        uint last = 0;
        foreach ((uint id, object? value) in members.OrderBy(member => member.Id))
        {
            ObjectCodec.WriteField(ref writer, id - last, value!);
            last = id;
        }

        writer.WriteEndObject();
    });

    private static byte[] Encode(Writing writing)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using SerializerSession session = SessionsCodecTests.Services.GetRequiredService<SerializerSessionPool>().GetSession();
        var writer = Writer.Create(buffer, session);
        writing(ref writer);
        writer.Commit();
        return buffer.WrittenSpan.ToArray();
    }

    private static object ReadJson(Type type, string name, JsonObject json) => Read(type, Encode((ref Writer<ArrayBufferWriter<byte>> writer) =>
    {
        writer.WriteFieldHeader(0, type, typeof(SessionsCodec), WireType.TagDelimited);
        foreach ((uint delta, string text) in (ReadOnlySpan<(uint, string)>)[(0, name), (1, json.ToJsonString(ConversationJson.Options))])
        {
            byte[] bytes = Encoding.UTF8.GetBytes(text);
            writer.WriteFieldHeaderExpected(delta, WireType.LengthPrefixed);
            writer.WriteVarUInt32((uint)bytes.Length);
            writer.Write(bytes);
        }

        writer.WriteEndObject();
    }));

    private static byte[] Write(Type type, object value) => (byte[])Call(nameof(SessionsCodecTests.Write), type, value);

    private static object Read(Type type, byte[] bytes) => Call(nameof(SessionsCodecTests.Read), type, bytes);

    private static object Call(string name, Type type, object argument) =>
        typeof(SessionsCodecTests).GetMethod(name, BindingFlags.Static | BindingFlags.NonPublic)!.MakeGenericMethod(type).Invoke(null, BindingFlags.DoNotWrapExceptions, null, [argument], null)!;
}
