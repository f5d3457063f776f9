using System.Runtime.Intrinsics.X86;
using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Tests.Kernels;

public sealed unsafe class WeightsAheadTests
{
    private static readonly bool CanAsk = Sse.IsSupported;

    [Theory]
    [InlineData(0, 256, 4096, WeightsAhead.MostBytes)] // Half of the first panel's 256 KiB.
    [InlineData(0, 256, 32, 8 * 2048)] // The whole matrix.
    [InlineData(1, 256, 32, 4 * 2048)] // The second thread's half.
    [InlineData(1, 32, 32, 0)] // One panel: nothing for a second thread.
    public void AsMuchIsAskedForAsThereIsAndMayBe(int worker, int outputs, int inputs, int expectedBytes)
    {
        using PackedMatrix matrix = Matrix(inputs, outputs);
        WeightsAhead ahead = default;

        Assert.Equal(CanAsk ? expectedBytes / WeightsAhead.StepBytes : 0, StepsOf(ref ahead, matrix, worker));
        Assert.Equal(0, StepsOf(ref ahead, matrix, worker));
    }

    [Fact]
    public void AnotherMatrixIsBegunAnewAndNoneAsksForNothing()
    {
        using PackedMatrix first = Matrix(32, 64), second = Matrix(32, 128);
        WeightsAhead ahead = default;
        Assert.Equal(0, StepsOf(ref ahead, null, 0));

        Assert.Equal(CanAsk ? 8 : 0, StepsOf(ref ahead, first, 0));
        Assert.Equal(CanAsk ? 16 : 0, StepsOf(ref ahead, second, 0));
        Assert.Equal(0, StepsOf(ref ahead, null, 0));
        Assert.Equal(CanAsk ? 8 : 0, StepsOf(ref ahead, first, 0));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(PackedMatrix.AheadRows)]
    public void TheTeamIsToldWhatCameNextTheLastTime(int rows)
    {
        using ThreadTeam team = new(2);
        using PackedMatrix first = Matrix(32, 64), second = Matrix(32, 64);
        using MatMul matMul = new(team, KernelPathData.Supported[0]);
        using NativeBuffer input = new(rows * 32 * sizeof(float)), output = new(rows * 64 * sizeof(float));
        Run(first);
        Assert.Null(team.Next);
        Run(second);
        Run(first);
        Assert.Same(second, team.Next);
        Run(second);
        Assert.Same(first, team.Next);

        void Run(PackedMatrix matrix) => matMul.Run(matrix, input.Floats, rows, output.Floats, 64);
    }

    [Fact]
    public void ManyRowsComputeForLongerThanWeightsTakeAndTellNothing()
    {
        const int Rows = PackedMatrix.AheadRows + 1;
        using ThreadTeam team = new(2);
        using PackedMatrix matrix = Matrix(32, 64);
        using MatMul matMul = new(team, KernelPathData.Supported[0]);
        using NativeBuffer input = new(Rows * 32 * sizeof(float)), output = new(Rows * 64 * sizeof(float));
        for (int i = 0; i < 2; i++)
            matMul.Run(matrix, input.Floats, 1, output.Floats, 64);
        Assert.Same(matrix, team.Next);

        matMul.Run(matrix, input.Floats, Rows, output.Floats, 64);

        Assert.Null(team.Next);
    }

    // A panel has 32 outputs; 32 inputs of it take 2 KiB.
    private static PackedMatrix Matrix(int inputs, int outputs)
    {
        using ThreadTeam team = new(1);
        return PackedMatrix.Pack(team, PanelFormat.BF16, new ArrayMatrix(new float[inputs * outputs], outputs, inputs));
    }

    private static int StepsOf(ref WeightsAhead ahead, PackedMatrix? matrix, int worker)
    {
        int steps = 0;
        while (ahead.TryBring(matrix, worker, 2))
            steps++;
        return steps;
    }
}
