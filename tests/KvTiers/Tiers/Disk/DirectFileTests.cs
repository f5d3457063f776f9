using KvTiers.Tiers.Disk;

namespace KvTiers.Tests.Tiers.Disk;

public sealed class DirectFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("kvtiers-direct-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void WhatIsWrittenIsReadBackAfterReopening(bool preferDirect)
    {
        string path = Path.Combine(_folder, "segment");
        using var buffer = new AlignedBuffer(4096);
        new Random(1).NextBytes(buffer.GetSpan());
        using (DirectFile file = DirectFile.Open(path, 64 * 1024, preferDirect))
        {
            Assert.Equal(64 * 1024, file.LengthBytes);
            file.Write(8192, buffer.GetSpan());
            file.Flush();
        }

        using var copy = new AlignedBuffer(4096);
        using DirectFile reopened = DirectFile.Open(path, 64 * 1024, preferDirect);
        Assert.True(reopened.TryRead(8192, copy.GetSpan()));
        Assert.Equal(buffer.GetSpan().ToArray(), copy.GetSpan().ToArray());
    }

    [Fact]
    public void ReadingPastTheEndIsFalse()
    {
        using DirectFile file = DirectFile.Open(Path.Combine(_folder, "segment"), 4096, preferDirect: true);
        using var buffer = new AlignedBuffer(4096);
        Assert.True(file.TryRead(0, buffer.GetSpan()));
        Assert.False(file.TryRead(2048, buffer.GetSpan()));
        Assert.False(file.TryRead(8192, buffer.GetSpan()));
    }

    [Fact]
    public void AMissingFolderIsAnErrorThatNamesThePath()
    {
        string path = Path.Combine(_folder, "missing", "segment");
        var error = Assert.Throws<DirectoryNotFoundException>(() => DirectFile.Open(path, 4096, preferDirect: true));
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
    }
}
