using KvTiers.Keys;

namespace KvTiers.Sessions.Tests.Storage;

/// <summary>Keys that tests know apart by number.</summary>
internal static class TestKeys
{
    public static RecordKey Key(int number) => new([.. Enumerable.Range(0, RecordKey.ByteCount).Select(i => (byte)(i + (50 * number)))]);

    public static RecordProtection Protection(bool encrypts = false, params RecordKey[] keys) =>
        new(keys.Length == 0 ? new KeyRing(Key(1)) : new KeyRing(keys[0], keys[1..])) { Encrypts = encrypts };
}
