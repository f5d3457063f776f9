using System.Buffers.Binary;
using KvTiers.Conversations;
using KvTiers.Sessions.Changes;
using KvTiers.Sessions.Serialization;
using KvTiers.Sessions.Storage;
using KvTiers.Sessions.Tests.Serialization;
using KvTiers.Tiers;

namespace KvTiers.Sessions.Tests.Storage;

/// <summary>The conversation's file, byte by byte. Bodies are the fixtures'; another implementation made the rest and its checksums.</summary>
public sealed class ConversationFileTests
{
    private static readonly ConversationKey Key = new("t", "c");

    private static readonly Guid Generation = new(Enumerable.Range(16, 16).Select(i => (byte)i).ToArray(), bigEndian: true);

    // "KVTCONV", version 1, generation, checksum.
    private static byte[] Head => Bytes("4b5654434f4e5601" + "101112131415161718191a1b1c1d1e1f" + "38de92a9");

    // Length 15, its checksum, {tenant: "t", id: "c"}, checksum.
    private static byte[] KeyRecord => Bytes("0f000000eb9023a7" + "82a674656e616e74a174a26964a163" + "5525b4b8");

    [Fact]
    public void AFileThatBeginsWithACreationHasTheBytesItAlwaysHad() => Assert.Equal(
        [.. Head, .. KeyRecord, .. Bytes("950000008ea8c455"), 0x93, 0x01, 0x01, .. Fixture.Bytes("created"), .. Bytes("11bada27")],
        Written(file => ConversationFile.Begin(file, Key, (ConversationCreated)ConversationFormat.ReadChange(Fixture.Bytes("created")), Generation)));

    [Fact]
    public void AFileThatBeginsWithAStateHasTheBytesItAlwaysHad() => Assert.Equal(
        [.. Head, .. KeyRecord, .. Bytes("6f010000f949e17e"), 0x93, 0x00, 0x04, .. Fixture.Bytes("state"), .. Bytes("8a841337")],
        Written(file => ConversationFile.Begin(file, ConversationFormat.ReadState(Fixture.Bytes("state")), Generation)));

    [Fact]
    public void ARecordHasTheBytesItAlwaysHad() => Assert.Equal(
        [.. Bytes("d4000000d15d2723"), 0x93, 0x01, 0xCD, 0x01, 0x2C, .. Fixture.Bytes("log"), .. Bytes("61bf4a55")],
        Written(file => ConversationFile.Write(file, new(Key, Generation, 1), 300, ConversationFormat.ReadChange(Fixture.Bytes("log")))));

    /// <summary>Right checksums do not make a wrong record right.</summary>
    [Theory]
    [InlineData("82a674656e616e74a174a26964a163c0")] // something follows
    [InlineData("83a674656e616e74a174a26964a163a26964a163")] // doubled
    [InlineData("81a674656e616e74a174")] // missing
    [InlineData("82a674656e616e74a174a26964a1ff")] // no UTF-8
    [InlineData("82a674656e616e74a174a26964a3eda080")] // half of a surrogate pair
    [InlineData("82a674656e616e74a174a26964c40163")] // bytes
    [InlineData("82a674656e616e74a174a26964c0")] // nil
    [InlineData("82a674656e616e74a174a26964a12f")] // no key
    [InlineData("82a674656e616e74a174a26964dbffffffff")]
    [InlineData("dfffffffff")]
    [InlineData("92a174a163")]
    [InlineData("")]
    public void AKeyThatIsNoneIsDamage(string payload) => AssertDamaged([.. Head, .. Framed(Bytes(payload)), .. First]);

    [Fact]
    public void ARecordThatIsNoneIsDamage()
    {
        byte[] body = Fixture.Bytes("log");
        Assert.Equal(2, ConversationFile.Read("x", (byte[])[.. Head, .. KeyRecord, .. First, .. Framed([0x93, 0x01, 0x02, .. body])]).State.Version.Number);
        byte[][] damaged =
        [
            [0x93, 0x01, 0x02, .. body, 0xC0], [0x93, 0x01, 0x02, .. MapBytes.Doubled(body, "keep")], [0x93, 0x01, 0x02, .. MapBytes.With(body, "keep", null)],
            [0x93, 0x01, 0x02, .. MapBytes.With(body, "turn/host", [0xA1, 0xFF])], [0x93, 0x01, 0x02, .. MapBytes.With(body, "keep", [0xA1, 0x31])],
            [0x93, 0x01, 0x02, .. MapBytes.With(body, "add", [0xDD, 0xFF, 0xFF, 0xFF, 0xFF])], [0x93, 0x01, 0x02, .. body[..^1]], [0x93, 0x01, 0x03, .. body], [],
            [.. Enumerable.Repeat((byte)0x91, 1_000_000)],
        ];
        foreach (byte[] record in damaged)
            AssertDamaged([.. Head, .. KeyRecord, .. First, .. Framed(record)]);
    }

    private static byte[] First => Framed([0x93, 0x01, 0x01, .. Fixture.Bytes("created")]);

    private static void AssertDamaged(byte[] file) =>
        Assert.IsType<FormatException>(Assert.Throws<ConversationDamagedException>(() => ConversationFile.Read("x", file)).InnerException);

    private static byte[] Framed(byte[] payload)
    {
        byte[] head = new byte[8], tail = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(head, payload.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(4), Crc32C.Compute(head.AsSpan(0, 4)));
        BinaryPrimitives.WriteUInt32LittleEndian(tail, Crc32C.Compute(payload));
        return [.. head, .. payload, .. tail];
    }

    private static byte[] Written(Action<RecordBuffer> write)
    {
        using var file = new RecordBuffer();
        write(file);
        return file.Written.ToArray();
    }

    private static byte[] Bytes(string hex) => Convert.FromHexString(hex);
}
