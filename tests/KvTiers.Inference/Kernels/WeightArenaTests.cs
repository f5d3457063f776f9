using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Tests.Kernels;

public sealed unsafe class WeightArenaTests
{
    [Fact]
    public void MatricesFollowEachOtherUntilAPieceIsFull()
    {
        using WeightArena arena = new(segmentBytes: 1024);
        byte* first = arena.Take(100), second = arena.Take(64), third = arena.Take(832), fourth = arena.Take(1);

        Assert.Equal(0u, (nuint)first % 64);
        Assert.Equal(128, second - first);
        Assert.Equal(64, third - second);
        Assert.False(fourth >= first && fourth < first + 1024);
    }

    [Fact]
    public void AMatrixLargerThanAPieceHasOneOfItsOwn()
    {
        using WeightArena arena = new(segmentBytes: 1024);
        byte* large = arena.Take(5000);
        new Span<byte>(large, 5000).Fill(7);
        byte* next = arena.Take(1024);
        new Span<byte>(next, 1024).Fill(8);

        Assert.Equal(-1, new Span<byte>(large, 5000).IndexOfAnyExcept((byte)7));
    }

    [Fact]
    public void PaddingOfAMatrixInUsedMemoryIsZero()
    {
        using ThreadTeam team = new(1);
        using WeightArena arena = new(segmentBytes: 4096);
        new Span<byte>(arena.Take(4096), 4096).Fill(0xFF);
        arena.Clear();
        PackedMatrix matrix = PackedMatrix.Pack(team, PanelFormat.F32, arena, [new ArrayMatrix([1, 2, 3], 3, 1)]);

        Assert.Equal([1f, 2f, 3f, 0f], new Span<float>((float*)matrix.Panel(0), 4).ToArray());
        Assert.Equal(-1, new Span<float>((float*)matrix.Panel(0) + 3, 29).IndexOfAnyExcept(0f));
    }

    [Fact]
    public void NothingIsAskedOfTheSystemForNoBytes()
    {
        using WeightArena arena = new();
        Assert.Throws<ArgumentOutOfRangeException>(() => { _ = (nint)arena.Take(0); });
    }
}
