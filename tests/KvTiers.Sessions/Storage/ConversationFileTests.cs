using KvTiers.Sessions.Serialization;
using KvTiers.Sessions.Storage;
using KvTiers.Sessions.Tests.Serialization;

namespace KvTiers.Sessions.Tests.Storage;

/// <summary>The conversation's file, byte by byte. Bodies are the fixtures'; another implementation made the rest and its checksums.</summary>
public sealed class ConversationFileTests
{
    private static readonly ConversationKey Key = new("t", "c");

    private static readonly Guid Generation = new(Enumerable.Range(16, 16).Select(i => (byte)i).ToArray(), bigEndian: true);

    [Fact]
    public void AFileThatBeginsWithACreationHasTheBytesItAlwaysHad() => Assert.Equal(
        [.. Start, .. Bytes("950000008ea8c455"), 0x93, 0x01, 0x01, .. Fixture.Bytes("created"), .. Bytes("11bada27")],
        ConversationFile.Begin(Key, (ConversationCreated)ConversationFormat.DecodeChange(Fixture.Bytes("created")), Generation));

    [Fact]
    public void AFileThatBeginsWithAStateHasTheBytesItAlwaysHad() => Assert.Equal(
        [.. Start, .. Bytes("6f010000f949e17e"), 0x93, 0x00, 0x04, .. Fixture.Bytes("state"), .. Bytes("8a841337")],
        ConversationFile.Begin(ConversationFormat.DecodeState(Fixture.Bytes("state")), Generation));

    [Fact]
    public void ARecordHasTheBytesItAlwaysHad() => Assert.Equal(
        [.. Bytes("d4000000d15d2723"), 0x93, 0x01, 0xCD, 0x01, 0x2C, .. Fixture.Bytes("log"), .. Bytes("61bf4a55")],
        ConversationFile.Record(300, ConversationFormat.DecodeChange(Fixture.Bytes("log"))));

    // "KVTCONV", version 1, generation, checksum; then the key: length 15, its checksum, {tenant: "t", id: "c"}, checksum.
    private static byte[] Start => Bytes("4b5654434f4e5601" + "101112131415161718191a1b1c1d1e1f" + "38de92a9" + "0f000000eb9023a7" + "82a674656e616e74a174a26964a163" + "5525b4b8");

    private static byte[] Bytes(string hex) => Convert.FromHexString(hex);
}
