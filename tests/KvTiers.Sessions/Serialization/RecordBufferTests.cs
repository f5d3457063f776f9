using System.Buffers;
using KvTiers.Sessions.Serialization;

namespace KvTiers.Sessions.Tests.Serialization;

public sealed class RecordBufferTests
{
    [Fact]
    public void WhatWasWrittenStaysWhileItGrows()
    {
        var random = new Random(1);
        using var buffer = new RecordBuffer();
        var expected = new List<byte>();
        while (expected.Count < 1_000_000)
        {
            byte[] next = new byte[random.Next(20_000)];
            random.NextBytes(next);
            Assert.True(buffer.GetSpan().Length > 0);
            Assert.True(buffer.GetSpan(next.Length).Length >= next.Length);
            next.CopyTo(buffer.GetMemory(next.Length));
            buffer.Advance(next.Length);
            expected.AddRange(next);
        }

        Assert.Equal(expected.Count, buffer.Length);
        Assert.True(buffer.Written.SequenceEqual(expected.ToArray()));
    }

    [Fact]
    public void WhatWasWrittenCanBeChangedInPlace()
    {
        using var buffer = new RecordBuffer();
        buffer.Write((ReadOnlySpan<byte>)[1, 2, 3]);
        buffer.Written[1] = 9;
        buffer.Write((ReadOnlySpan<byte>)[4]);
        Assert.Equal([1, 9, 3, 4], buffer.Written.ToArray());
    }

    [Fact]
    public void MoreThanThereIsRoomForIsNotWritten()
    {
        using var buffer = new RecordBuffer();
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Advance(buffer.GetMemory().Length + 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Advance(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.GetMemory(-1));
        Assert.Equal(0, buffer.Length);
    }

    [Fact]
    public void AfterItsMemoryWentBackNothingIsWritten()
    {
        var buffer = new RecordBuffer();
        buffer.Write((ReadOnlySpan<byte>)[1, 2, 3]);
        buffer.Dispose();
        buffer.Dispose();
        Assert.Equal(0, buffer.Length);
        Assert.True(buffer.Written.IsEmpty);
        Assert.Throws<ObjectDisposedException>(() => buffer.GetMemory());
    }
}
