using System.Text.Json;

namespace KvTiers.Sessions.Tests.Serialization;

/// <summary>MessagePack that an independent implementation wrote; Fixtures/make_fixtures.py made it.</summary>
internal static class Fixture
{
    private static readonly JsonElement All =
        JsonDocument.Parse(File.ReadAllBytes(Repository.PathOf("tests", "KvTiers.Sessions", "Serialization", "Fixtures", "messagepack.json"))).RootElement;

    public static byte[] Bytes(string name) => Convert.FromHexString(All.GetProperty(name).GetString()!);

    public static IEnumerable<(string Kind, string Value, byte[] Start, int Length)> Values() => All.GetProperty("values").EnumerateArray().Select(value =>
    {
        byte[] start = Convert.FromHexString(value.GetProperty("hex").GetString()!);
        int length = value.TryGetProperty("length", out JsonElement total) ? total.GetInt32() : start.Length;
        return (value.GetProperty("kind").GetString()!, value.GetProperty("value").GetString()!, start, length);
    });
}
