using KvTiers.Keys;
using KvTiers.Silo.Configuration;
using KvTiers.Silo.Models;
using Microsoft.Extensions.Configuration;

namespace KvTiers.Silo.Tests.Configuration;

/// <summary>The keys of records: where they come from, what needs one, and that a Redis which others can reach does.</summary>
public sealed class RecordSettingsTests : IDisposable
{
    private static readonly string Key = new('a', 64);
    private static readonly string Old = new('b', 64);

    private readonly TemporaryFolder _data = new();

    public void Dispose() => _data.Dispose();

    [Theory]
    [InlineData("Redis", "10.0.0.7:6379", "KvTiers:Redis")]
    [InlineData("Redis", "blocks:6379,password=x", "KvTiers:Redis")]
    [InlineData("Redis", "127.0.0.1:6379,10.0.0.7:6379", "KvTiers:Redis")]
    [InlineData("StoreRedis", "10.0.0.7:6379", "KvTiers:StoreRedis")]
    [InlineData("Cluster", "records:6379", "KvTiers:Cluster")]
    public void ARedisThatOthersReachNeedsAKey(string setting, string address, string named)
    {
        (string, string)[] settings = [(setting, address), ("Store", "redis"), .. setting == "Redis" ? [("StoreRedis", "127.0.0.1:1")] : ((string, string)[])[]];
        string line = Assert.Single(Assert.Throws<StartException>(() => Read(settings)).Lines);
        Assert.StartsWith(named + " = '", line, StringComparison.Ordinal);
        Assert.Contains("loopback", line, StringComparison.Ordinal);
        Assert.Contains("KvTiers:RecordKey", line, StringComparison.Ordinal);
        Assert.DoesNotContain("password=x", line, StringComparison.Ordinal);
        Read([.. settings, ("RecordKey", Key)]);
    }

    [Theory]
    [InlineData("127.0.0.1:6379")]
    [InlineData("127.0.0.2:6379,password=x")]
    [InlineData("localhost:6379,localhost:6380")]
    [InlineData("[::1]:6379")]
    public void ARedisOnALoopbackAddressNeedsNone(string address) => Assert.False(Read(("Redis", address)).Records.HasKey);

    [Theory]
    [InlineData("RecordKey", "abc", "64 hexadecimal characters")]
    [InlineData("RecordKeyFile", "/nowhere/at/all", "a file that exists")]
    [InlineData("RecordKeyOld", "xyz", "64 hexadecimal characters")]
    [InlineData("Encrypt", "tape", "disk, redis and store")]
    [InlineData("Encrypt", "disk,disk", "disk, redis and store")]
    [InlineData("AcceptUnsigned", "maybe", "on or off")]
    public void AWrongValueIsNamedAndAKeyIsNotShown(string setting, string value, string rule)
    {
        string line = Assert.Single(Assert.Throws<StartException>(() => Read((setting, value))).Lines);
        Assert.StartsWith($"KvTiers:{setting} = '", line, StringComparison.Ordinal);
        Assert.Contains(rule, line, StringComparison.Ordinal);
        Assert.Equal(setting is "RecordKey" or "RecordKeyOld", !line.Contains(value, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("RecordKeyOld")]
    [InlineData("Encrypt")]
    [InlineData("AcceptUnsigned")]
    public void WhatNeedsAKeyIsRefusedWithoutOne(string setting)
    {
        string value = setting switch { "Encrypt" => "all", "AcceptUnsigned" => "on", _ => Old };
        Assert.StartsWith($"KvTiers:{setting} = '", Assert.Single(Assert.Throws<StartException>(() => Read((setting, value))).Lines), StringComparison.Ordinal);
        Read((setting, value), ("RecordKey", Key));
    }

    [Fact]
    public void AKeyIsGivenOnce()
    {
        File.WriteAllText(_data.Path("key"), Key);
        Assert.Contains("KvTiers:RecordKeyFile", Assert.Single(Assert.Throws<StartException>(() => Read(("RecordKey", Key), ("RecordKeyFile", _data.Path("key")))).Lines), StringComparison.Ordinal);
        RecordProtection given = RecordKeys.ForRedis(Read(("RecordKeyFile", _data.Path("key")), ("RecordKeyOld", Old), ("Encrypt", "redis")))!;
        RecordKey old = new(Convert.FromHexString(Old));
        Assert.Equal((new RecordKey(Convert.FromHexString(Key)).Id, old.Id, true), (given.Keys.Writing.Id, given.Keys.Find(old.Id)!.Id, given.Encrypts));
        Assert.False(RecordKeys.ForStore(Read(("RecordKey", Key), ("Encrypt", "disk,redis")))!.Encrypts);
        Assert.True(RecordKeys.ForStore(Read(("RecordKey", Key), ("Encrypt", "all")))!.Encrypts);
    }

    [Fact]
    public void WithoutAKeyTheDiskTierHasOneOfTheDataFolderAndTheOthersNone()
    {
        SiloOptions options = Read(("Data", _data.FullName));
        Assert.Null(RecordKeys.ForRedis(options));
        Assert.Null(RecordKeys.ForStore(options));
        RecordProtection own = RecordKeys.ForDisk(options);
        Assert.Equal(own.Keys.Writing.Id, RecordKeys.ForDisk(options).Keys.Writing.Id);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_data.Path("record-key")));
        File.WriteAllText(_data.Path("record-key"), "hunter2");
        StartException fault = Assert.Throws<StartException>(() => RecordKeys.ForDisk(options));
        Assert.DoesNotContain("hunter2", fault.ToString(), StringComparison.Ordinal);
        Assert.Contains(_data.Path("record-key"), fault.Message, StringComparison.Ordinal);
    }

    private static SiloOptions Read(params (string Key, string Value)[] settings) =>
        SiloOptionsReader.Read(new ConfigurationBuilder().AddInMemoryCollection(
            settings.Append(("Model", TestModels.Tiny)).Select(setting => KeyValuePair.Create("KvTiers:" + setting.Item1, (string?)setting.Item2))).Build());
}
