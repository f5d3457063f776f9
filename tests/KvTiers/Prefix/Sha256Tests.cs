using System.Security.Cryptography;
using KvTiers.Prefix;

namespace KvTiers.Tests.Prefix;

public sealed class Sha256Tests
{
    [Fact]
    public void EveryLengthHashesAsTheFrameworkHashesIt()
    {
        var random = new Random(7);
        byte[] digest = new byte[Sha256.ByteCount];
        for (int length = 0; length <= 1_100; length++)
        {
            byte[] message = new byte[length];
            random.NextBytes(message);
            Sha256.HashData(message, digest);
            Assert.Equal(SHA256.HashData(message), digest);
        }
    }

    [Fact]
    public void HashingABlockAllocatesNothing()
    {
        int[] tokens = [.. Enumerable.Range(0, 16)];
        BlockHash hash = default(BlockHash).Next(tokens);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1_000; i++)
            hash = hash.Next(tokens);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.NotEqual(default, hash);
    }
}
