using KvTiers.Blocks;
using KvTiers.Inference.Kernels;
using KvTiers.Inference.Model;

namespace KvTiers.Inference.Tests.Model;

public sealed class StepBatchTests
{
    private static readonly BlockLayout Layout = new(1, 1, 4);

    [Fact]
    public void SegmentsLieOneAfterTheOther()
    {
        using StepBatch batch = new(Layout, 10);
        BlockTable first = Table(2), second = Table(1);

        batch.Add(first, [1, 2, 3], 17, 1);
        batch.Add(second, [4, 5], 0, 2);

        Assert.Equal([1, 2, 3, 4, 5], batch.TokenIds);
        Assert.Equal(5, batch.RowCount);
        Assert.Equal(3, batch.LogitRowCount);
        Assert.Equal([new StepSegment(first, 0, 3, 17, 1, 0), new StepSegment(second, 3, 2, 0, 2, 1)], batch.Segments);
    }

    [Fact]
    public void ClearForgetsTheRows()
    {
        using StepBatch batch = new(Layout, 10);
        batch.Add(Table(1), [1, 2, 3], 0, 1);

        batch.Clear();

        Assert.Equal(0, batch.RowCount);
        Assert.Equal(0, batch.LogitRowCount);
        Assert.True(batch.Segments.IsEmpty);
    }

    [Fact]
    public void ASegmentThatDoesNotFitIsRefused()
    {
        using StepBatch batch = new(Layout, 10);

        Assert.Throws<ArgumentException>(() => batch.Add(Table(1), [], 0, 0));
        Assert.Throws<ArgumentException>(() => batch.Add(Table(1), [1, 2], 15, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => batch.Add(Table(1), [1], -1, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => batch.Add(Table(1), [1], 0, 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => batch.Add(Table(1), [1], 0, -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => batch.AddForHidden(Table(1), [1], 0, 2));
        Assert.Equal(0, batch.RowCount);
        batch.Add(Table(1), [1], 15, 1);
    }

    [Fact]
    public void LogitsAreThereOnlyForRowsThatAskedAndAfterAPass()
    {
        using StepBatch batch = new(Layout, 10);
        batch.Add(Table(1), [1, 2, 3], 0, 2);

        Assert.Throws<InvalidOperationException>(() => batch.Logits(0, 0).Length);
        batch.ReserveLogits();

        Assert.Equal(10, batch.Logits(0, 1).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => batch.Logits(0, 2).Length);
        Assert.Throws<IndexOutOfRangeException>(() => batch.Logits(1, 0).Length);
    }

    private static BlockTable Table(int blocks)
    {
        BlockTable table = new();
        for (int i = 0; i < blocks; i++)
            table.Append(i, 64 * i);
        return table;
    }
}
