using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Tests.Kernels;

public sealed unsafe class MatMulTests
{
    public static TheoryData<int, int> Shapes => new() { { 1, 1 }, { 7, 31 }, { 16, 32 }, { 40, 33 }, { 65, 100 }, { 128, 64 } };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void EveryPathAndRowCountIsThePlainChainOfFusedMultiplyAdds(int inputs, int outputs)
    {
        using ThreadTeam team = new(2);
        using NativeBuffer weights = KernelPathData.Random(inputs * outputs, 1);
        foreach (PanelFormat format in (PanelFormat[])[PanelFormat.F32, PanelFormat.BF16])
        {
            using PackedMatrix matrix = PackedMatrix.Pack(team, format, Matrix(weights, outputs, inputs));
            foreach (int rows in (int[])[1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 24, 30, 200])
            {
                using NativeBuffer input = KernelPathData.Random(rows * inputs, 2);
                float[] expected = Reference(matrix, input, rows);
                foreach (KernelPath path in KernelPathData.Supported)
                {
                    using MatMul matMul = new(team, path);
                    using NativeBuffer output = KernelPathData.Random(rows * outputs, 3);
                    matMul.Run(matrix, input.Floats, rows, output.Floats, outputs);
                    KernelPathData.AssertSameBits(expected, KernelPathData.ToArray(output, rows * outputs));
                }
            }
        }
    }

    public static TheoryData<int, int> GroupShapes => new() { { 1, 1 }, { 7, 31 }, { 64, 32 }, { 65, 33 }, { 200, 100 }, { 576, 64 } };

    public static IEnumerable<TheoryDataRow<int, int, int>> IntegerCases =>
        from shape in GroupShapes
        from format in Enum.GetValues<PanelFormat>()
        where format >= PanelFormat.Int8
        select new TheoryDataRow<int, int, int>(shape.Data.Item1, shape.Data.Item2, (int)format);

    [Theory]
    [MemberData(nameof(IntegerCases))]
    public void WeightsOfIntegersAreExactSumsOfGroupsInOneChainOnEveryPathAndRowCount(int inputs, int outputs, int format)
    {
        using ThreadTeam team = new(2);
        using NativeBuffer weights = KernelPathData.Random(inputs * outputs, 1);
        using PackedMatrix matrix = PackedMatrix.Pack(team, (PanelFormat)format, Matrix(weights, outputs, inputs));
        foreach (int rows in (int[])[1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 24, 30, 200])
        {
            using NativeBuffer input = KernelPathData.Random(rows * inputs, 2);
            // A row of zeros has no scale of its own, and one large element leaves little for the others.
            new Span<float>(input.Floats + (rows - 1) * inputs, inputs).Clear();
            input.Floats[0] *= 1000;
            float[] expected = IntegerReference(matrix, input, rows);
            foreach (KernelPath path in KernelPathData.Supported)
            {
                using MatMul matMul = new(team, path);
                using NativeBuffer output = KernelPathData.Random(rows * outputs, 3);
                matMul.Run(matrix, input.Floats, rows, output.Floats, outputs);
                KernelPathData.AssertSameBits(expected, KernelPathData.ToArray(output, rows * outputs));
            }
        }
    }

    [Theory]
    [InlineData((int)PanelFormat.Int8)]
    [InlineData((int)PanelFormat.Int8By32)]
    [InlineData((int)PanelFormat.Int4)]
    [InlineData((int)PanelFormat.Int4Affine)]
    public void SumsOfIntegersDoNotOverflow(int format)
    {
        const int Inputs = 1536;
        float[] values = [.. Enumerable.Repeat(-3f, Inputs)];
        using ThreadTeam team = new(1);
        using PackedMatrix matrix = PackedMatrix.Pack(team, (PanelFormat)format, new ArrayMatrix(values, 1, Inputs));
        using NativeBuffer input = new(Inputs * sizeof(float)), output = new(32 * sizeof(float));
        new Span<float>(input.Floats, Inputs).Fill(-5f);
        foreach (KernelPath path in KernelPathData.Supported)
        {
            using MatMul matMul = new(team, path);
            matMul.Run(matrix, input.Floats, 1, output.Floats, 1);
            Assert.Equal(15.0 * Inputs, output.Floats[0], 15.0 * Inputs * 0.005);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(14)]
    public void BiasComesAfterTheChainAndTheResidualLast(int rows)
    {
        const int Inputs = 20, Outputs = 45;
        using ThreadTeam team = new(1);
        using NativeBuffer weights = KernelPathData.Random(Inputs * Outputs, 1), input = KernelPathData.Random(rows * Inputs, 2), bias = KernelPathData.Random(64, 4);
        using PackedMatrix matrix = PackedMatrix.Pack(team, PanelFormat.F32, Matrix(weights, Outputs, Inputs));
        float[] products = Reference(matrix, input, rows);
        using NativeBuffer before = KernelPathData.Random(rows * Outputs, 3);
        float[] expected = [.. products.Select((product, i) => product + bias.Floats[i % Outputs] + before.Floats[i])];
        foreach (KernelPath path in KernelPathData.Supported)
        {
            using MatMul matMul = new(team, path);
            using NativeBuffer output = KernelPathData.Random(rows * Outputs, 3);
            matMul.Run(matrix, input.Floats, rows, output.Floats, Outputs, bias.Floats, MatMulResult.Add);
            KernelPathData.AssertSameBits(expected, KernelPathData.ToArray(output, rows * Outputs));
        }
    }

    [Fact]
    public void GeluIsAppliedToEveryOutput()
    {
        const int Rows = 3, Inputs = 20, Outputs = 45;
        using ThreadTeam team = new(1);
        using NativeBuffer weights = KernelPathData.Random(Inputs * Outputs, 1), input = KernelPathData.Random(Rows * Inputs, 2);
        using PackedMatrix matrix = PackedMatrix.Pack(team, PanelFormat.F32, Matrix(weights, Outputs, Inputs));
        float[] products = Reference(matrix, input, Rows);
        float[]? first = null;
        foreach (KernelPath path in KernelPathData.Supported)
        {
            using MatMul matMul = new(team, path);
            using NativeBuffer output = KernelPathData.Random(Rows * Outputs, 3);
            matMul.Run(matrix, input.Floats, Rows, output.Floats, Outputs, null, MatMulResult.Gelu);
            float[] actual = KernelPathData.ToArray(output, Rows * Outputs);
            KernelPathData.AssertSameBits(first ??= actual, actual);
            for (int i = 0; i < actual.Length; i++)
            {
                double x = products[i];
                Assert.Equal(0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))), actual[i], 2e-6);
            }
        }
    }

    [Theory]
    [InlineData(16)]
    [InlineData(37)]
    public void SwiGluMultipliesTheSecondMatrixWithTheGateOfTheFirst(int outputs)
    {
        const int Rows = 13, Inputs = 24;
        using ThreadTeam team = new(2);
        using NativeBuffer gate = KernelPathData.Random(Inputs * outputs, 1), up = KernelPathData.Random(Inputs * outputs, 5);
        using NativeBuffer input = KernelPathData.Random(Rows * Inputs, 2);
        using PackedMatrix paired = PackedMatrix.PackPaired(team, PanelFormat.F32, Matrix(gate, outputs, Inputs), Matrix(up, outputs, Inputs));
        using PackedMatrix gateAlone = PackedMatrix.Pack(team, PanelFormat.F32, Matrix(gate, outputs, Inputs));
        using PackedMatrix upAlone = PackedMatrix.Pack(team, PanelFormat.F32, Matrix(up, outputs, Inputs));
        float[] gates = Reference(gateAlone, input, Rows), ups = Reference(upAlone, input, Rows);
        float[]? first = null;
        foreach (KernelPath path in KernelPathData.Supported)
        {
            using MatMul matMul = new(team, path);
            using NativeBuffer output = KernelPathData.Random((Rows + 1) * outputs, 3);
            float[] behind = KernelPathData.ToArray(output, (Rows + 1) * outputs)[^outputs..];
            matMul.Run(paired, input.Floats, Rows, output.Floats, outputs, null, MatMulResult.SwiGlu);
            float[] actual = KernelPathData.ToArray(output, (Rows + 1) * outputs);
            KernelPathData.AssertSameBits(behind, actual.AsSpan(^outputs..));
            KernelPathData.AssertSameBits(first ??= actual, actual);
            for (int i = 0; i < gates.Length; i++)
                Assert.Equal(gates[i] / (1 + Math.Exp(-gates[i])) * ups[i], actual[i], 1e-5);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void EveryFunctionIsAppliedToWhatItsNameSays(bool isPaired)
    {
        const int Rows = 13, Inputs = 24, Outputs = 37;
        using ThreadTeam team = new(2);
        using NativeBuffer gate = KernelPathData.Random(Inputs * Outputs, 1), up = KernelPathData.Random(Inputs * Outputs, 5);
        using NativeBuffer input = KernelPathData.Random(Rows * Inputs, 2);
        using PackedMatrix gateAlone = PackedMatrix.Pack(team, PanelFormat.F32, Matrix(gate, Outputs, Inputs));
        using PackedMatrix upAlone = PackedMatrix.Pack(team, PanelFormat.F32, Matrix(up, Outputs, Inputs));
        using PackedMatrix paired = PackedMatrix.PackPaired(team, PanelFormat.F32, Matrix(gate, Outputs, Inputs), Matrix(up, Outputs, Inputs));
        float[] gates = Reference(gateAlone, input, Rows), ups = Reference(upAlone, input, Rows);
        MatMulResult[] results = isPaired
            ? [MatMulResult.GeGlu, MatMulResult.GeGluErf, MatMulResult.ReGlu2]
            : [MatMulResult.Silu, MatMulResult.GeluErf, MatMulResult.Relu2];
        float* lanes = stackalloc float[16];
        foreach (MatMulResult result in results)
        {
            float[]? first = null;
            foreach (KernelPath path in KernelPathData.Supported)
            {
                using MatMul matMul = new(team, path);
                using NativeBuffer output = KernelPathData.Random(Rows * Outputs, 3);
                matMul.Run(isPaired ? paired : gateAlone, input.Floats, Rows, output.Floats, Outputs, null, result);
                float[] actual = KernelPathData.ToArray(output, Rows * Outputs);
                KernelPathData.AssertSameBits(first ??= actual, actual);
            }
            for (int i = 0; i < gates.Length; i++)
            {
                LanesPlain x = LanesPlain.Broadcast(gates[i]);
                LanesPlain.Store(result switch
                {
                    MatMulResult.Silu => Activation.Silu(x),
                    MatMulResult.GeGlu => Activation.Gelu(x),
                    MatMulResult.GeluErf or MatMulResult.GeGluErf => Activation.GeluErf(x),
                    _ => Activation.Relu2(x),
                }, lanes);
                Assert.Equal(isPaired ? lanes[0] * ups[i] : lanes[0], first![i]);
            }
        }
    }

    [Fact]
    public void AFactorIsOnTheProductAndItsBiasBeforeTheyAreAdded()
    {
        const int Rows = 3, Inputs = 20, Outputs = 45;
        using ThreadTeam team = new(1);
        using NativeBuffer weights = KernelPathData.Random(Inputs * Outputs, 1), input = KernelPathData.Random(Rows * Inputs, 2);
        using NativeBuffer bias = KernelPathData.Random(64, 4), before = KernelPathData.Random(Rows * Outputs, 3);
        using PackedMatrix matrix = PackedMatrix.Pack(team, PanelFormat.F32, Matrix(weights, Outputs, Inputs));
        float[] products = Reference(matrix, input, Rows);
        foreach (KernelPath path in KernelPathData.Supported)
        {
            using MatMul matMul = new(team, path);
            using NativeBuffer output = KernelPathData.Random(Rows * Outputs, 3);
            matMul.Run(matrix, input.Floats, Rows, output.Floats, Outputs, bias.Floats, MatMulResult.Add, 0.3f);
            for (int i = 0; i < products.Length; i++)
                Assert.Equal((products[i] + bias.Floats[i % Outputs]) * 0.3f + before.Floats[i], output.Floats[i]);
        }
    }

    private static ArrayMatrix Matrix(NativeBuffer weights, int outputs, int inputs) =>
        new(KernelPathData.ToArray(weights, outputs * inputs), outputs, inputs);

    // Independent of the panels' layout: weights are read back, and their integers are found again by the group's scale.
    private static float[] IntegerReference(PackedMatrix matrix, NativeBuffer input, int rows)
    {
        float[] output = new float[rows * matrix.Outputs], weights = new float[matrix.Inputs];
        for (int row = 0; row < rows; row++)
        {
            ReadOnlySpan<float> x = new(input.Floats + row * matrix.Inputs, matrix.Inputs);
            float most = 0;
            foreach (float element in x)
                most = Math.Max(most, Math.Abs(element));
            float factor = most == 0 ? 0 : short.MaxValue / most;
            for (int n = 0; n < matrix.Outputs; n++)
            {
                fixed (float* target = weights)
                    matrix.Read(n, target);
                float sum = 0;
                int groupInputs = matrix.Format == PanelFormat.Int8 ? 64 : 32;
                for (int first = 0; first < matrix.Inputs; first += groupInputs)
                {
                    (float scale, float least) = ScaleOf(matrix, n, first / groupInputs);
                    long exact = 0, inputs = 0;
                    for (int k = first; k < Math.Min(first + groupInputs, matrix.Inputs); k++)
                    {
                        long integer = (long)MathF.Round(x[k] * factor, MidpointRounding.ToEven);
                        exact += scale == 0 ? 0 : (long)Math.Round((weights[k] - least) / scale) * integer;
                        inputs += integer;
                    }
                    sum = MathF.FusedMultiplyAdd(exact, scale, sum);
                    if (matrix.Format == PanelFormat.Int4Affine)
                        sum = MathF.FusedMultiplyAdd(inputs, least, sum);
                }
                output[row * matrix.Outputs + n] = sum * (most / short.MaxValue);
            }
        }
        return output;
    }

    // A group is a line of scales (two where there are least values), then its integers.
    private static (float Scale, float Least) ScaleOf(PackedMatrix matrix, int output, int group)
    {
        byte* panel = matrix.Panel(output / 32);
        int column = output % 32;
        switch (matrix.Format)
        {
            case PanelFormat.Int8:
                return (PanelInt8.Scale<PanelScalesBF16>(panel + group * (64 + 64 * 32), column), 0);
            case PanelFormat.Int8By32:
                return (PanelInt8.Scale<PanelScalesF16>(panel + group * (64 + 32 * 32), column), 0);
            case PanelFormat.Int4:
                return (PanelInt4.Scale(panel + group * (64 + 32 * 16), column), 0);
            default:
                byte* start = panel + group * (128 + 32 * 16);
                return (PanelInt4.Scale(start, column), PanelInt4.Scale(start + 64, column));
        }
    }

    private static float[] Reference(PackedMatrix matrix, NativeBuffer input, int rows)
    {
        float[] output = new float[rows * matrix.Outputs], weights = new float[matrix.Inputs];
        for (int n = 0; n < matrix.Outputs; n++)
        {
            fixed (float* target = weights)
                matrix.Read(n, target);
            for (int row = 0; row < rows; row++)
            {
                float sum = 0;
                for (int k = 0; k < weights.Length; k++)
                    sum = MathF.FusedMultiplyAdd(input.Floats[row * matrix.Inputs + k], weights[k], sum);
                output[row * matrix.Outputs + n] = sum;
            }
        }
        return output;
    }
}
