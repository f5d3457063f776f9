using System.Runtime.InteropServices;
using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Tests.Kernels;

public sealed partial class MappedWeightsTests : IDisposable
{
    private const int PieceBytes = 8 << 20;
    private readonly TemporaryFolder _folder = new();

    public MappedWeightsTests() => Assert.SkipUnless(OperatingSystem.IsLinux(), "Files are mapped on Linux only.");

    private string FilePath => _folder.Sub("packed.weights");

    [Theory]
    [InlineData(1)]
    [InlineData(4096)]
    [InlineData(PieceBytes + (2 << 20))]
    [InlineData(2 * PieceBytes + 4097)]
    public void MovingKeepsEveryByteAtItsPlaceAndLeavesTheFile(int length)
    {
        byte[] content = Content(length);
        using MappedWeights mapped = Map(content);
        Assert.Equal(content, At(mapped, length));
        Assert.True(IsMapped());

        mapped.MoveToHugePages(CancellationToken.None);

        Assert.Equal(content, At(mapped, length));
        Assert.False(IsMapped());
    }

    [Fact]
    public async Task WhoReadsMeanwhileSeesTheSameBytes()
    {
        byte[] content = Content(4 * PieceBytes);
        using MappedWeights mapped = Map(content);
        using CancellationTokenSource moved = new();
        var reading = Task.Run(() =>
        {
            int rounds = 0;
            for (; rounds == 0 || !moved.IsCancellationRequested; rounds++)
                Assert.True(At(mapped, content.Length).SequenceEqual(content), $"round {rounds}");
        });
        mapped.MoveToHugePages(CancellationToken.None);
        await moved.CancelAsync();

        await reading;
        Assert.False(IsMapped());
    }

    [Fact]
    public async Task WhatAnotherThreadMapsMeanwhileStaysMapped()
    {
        using MappedWeights mapped = Map(Content(8 * PieceBytes));
        using CancellationTokenSource moved = new();
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<List<nint>> mapping = Task.Run(() =>
        {
            List<nint> maps = [];
            while (!moved.IsCancellationRequested && maps.Count < 20_000)
            {
                maps.Add(MapAnonymous(0, 2 << 20, 3, 0x22 | 0x4000, -1, 0));
                begun.TrySetResult();
            }

            return maps;
        });
        await begun.Task;
        mapped.MoveToHugePages(CancellationToken.None);
        await moved.CancelAsync();

        List<nint> mine = await mapping;
        Assert.NotEmpty(mine);
        byte[] resident = new byte[(2 << 20) / Environment.SystemPageSize];
        Assert.All(mine, address => Assert.Equal(0, ResidentPages(address, 2 << 20, resident)));
        Assert.All(mine, address => Assert.Equal(0, Unmap(address, 2 << 20)));
    }

    [Fact]
    public void WhatIsNotMovedStaysTheFile()
    {
        byte[] content = Content(2 * PieceBytes);
        using MappedWeights mapped = Map(content);
        mapped.MoveToHugePages(new CancellationToken(canceled: true));

        Assert.Equal(content, At(mapped, content.Length));
        Assert.True(IsMapped());
    }

    [Fact]
    public unsafe void AFileCutShortIsFoundBeforeItIsRead()
    {
        using MappedWeights mapped = Map(Content(3 * 4096));
        Assert.True(MappedWeights.TryPopulate(mapped.Start, 3 * 4096));

        using (FileStream file = new(FilePath, FileMode.Open))
            file.SetLength(4096);

        Assert.True(MappedWeights.TryPopulate(mapped.Start, 4096));
        Assert.False(MappedWeights.TryPopulate(mapped.Start, 3 * 4096));
    }

    [Fact]
    public async Task AnArenaGoesWithItsMapping()
    {
        File.WriteAllBytes(FilePath, Content(4 * PieceBytes));
        Task moving;
        using (WeightArena arena = new())
        {
            Load(arena);
            moving = arena.MoveToHugePagesAsync(CancellationToken.None);
        }

        await moving;
        Assert.False(IsMapped());

        unsafe void Load(WeightArena arena)
        {
            using var file = File.OpenHandle(FilePath);
            Assert.Equal(Content(4 * PieceBytes), new ReadOnlySpan<byte>(arena.Load(file, 4 * PieceBytes), 4 * PieceBytes));
        }
    }

    public void Dispose() => _folder.Dispose();

    private MappedWeights Map(byte[] content)
    {
        File.WriteAllBytes(FilePath, content);
        using var file = File.OpenHandle(FilePath);
        return new MappedWeights(file, content.Length);
    }

    private static unsafe ReadOnlySpan<byte> At(MappedWeights mapped, int length) => new(mapped.Start, length);

    private bool IsMapped() => File.ReadLines("/proc/self/maps").Any(line => line.EndsWith(FilePath, StringComparison.Ordinal));

    private static byte[] Content(int length)
    {
        byte[] content = new byte[length];
        new Random(length).NextBytes(content);
        return content;
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint MapAnonymous(nint address, nuint length, int protection, int flags, int descriptor, nint offset);

    // Fails where a page of the range is not mapped.
    [LibraryImport("libc", EntryPoint = "mincore")]
    private static partial int ResidentPages(nint address, nuint length, byte[] resident);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nuint length);
}
