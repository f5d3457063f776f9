using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Tests.Kernels;

public sealed unsafe class PackedMatrixTests
{
    [Fact]
    public void AMatrixIsReadBackAsItWasPacked()
    {
        const int Inputs = 5, First = 40, Second = 3;
        float[] values = [.. Enumerable.Range(0, (First + Second) * Inputs).Select(i => (float)i)];
        using ThreadTeam team = new(1);
        foreach (PanelFormat format in (PanelFormat[])[PanelFormat.F32, PanelFormat.BF16])
        {
            using PackedMatrix matrix = PackedMatrix.Pack(
                team, format, new ArrayMatrix(values[..(First * Inputs)], First, Inputs), new ArrayMatrix(values[(First * Inputs)..], Second, Inputs));

            Assert.Equal((43, 5, 2), (matrix.Outputs, matrix.Inputs, matrix.PanelCount));
            float[] row = new float[Inputs];
            for (int output = 0; output < First + Second; output++)
            {
                fixed (float* target = row)
                    matrix.Read(output, target);
                Assert.Equal(values[(output * Inputs)..((output + 1) * Inputs)], row);
            }
        }
    }

    [Fact]
    public void BFloat16PanelsPairColumnsSixteenApart()
    {
        float[] values = [.. Enumerable.Range(0, 32).Select(i => (float)i)];
        using ThreadTeam team = new(1);
        using PackedMatrix matrix = PackedMatrix.Pack(team, PanelFormat.BF16, new ArrayMatrix(values, 32, 1));

        for (int column = 0; column < 16; column++)
            Assert.Equal(BFloat16.Round(column) | (uint)BFloat16.Round(column + 16) << 16, ((uint*)matrix.Panel(0))[column]);
    }

    [Fact]
    public void EightBitWeightsAreReadBackWithinHalfAStepOfTheirGroup()
    {
        const int Inputs = 150, Outputs = 37;
        Random random = new(4);
        float[] values = [.. Enumerable.Range(0, Inputs * Outputs).Select(_ => random.NextSingle() - 0.5f)];
        values[70] = 40; // Coarse steps, but for its own group only.
        values.AsSpan(3 * Inputs, 64).Clear();
        using ThreadTeam team = new(2);
        using PackedMatrix matrix = PackedMatrix.Pack(team, PanelFormat.Int8, new ArrayMatrix(values, Outputs, Inputs));

        Assert.Equal(3 * 64 + 75 * 64, matrix.PanelBytes);
        float[] row = new float[Inputs];
        for (int output = 0; output < Outputs; output++)
        {
            fixed (float* target = row)
                matrix.Read(output, target);
            for (int k = 0; k < Inputs; k++)
            {
                int group = k / 64 * 64;
                float step = values[(output * Inputs + group)..(output * Inputs + Math.Min(group + 64, Inputs))].Max(Math.Abs) / 127;
                Assert.Equal(values[output * Inputs + k], row[k], 0.51f * step);
            }
        }
    }

    [Fact]
    public void WhatAPanelLacksIsZero()
    {
        using ThreadTeam team = new(1);
        using PackedMatrix matrix = PackedMatrix.Pack(team, PanelFormat.F32, new ArrayMatrix([1, 2, 3], 3, 1));

        Assert.Equal([1, 2, 3, .. new float[29]], new ReadOnlySpan<float>(matrix.Panel(0), 32));
    }

    [Fact]
    public void MatricesOfDifferentInputsAreNotPackedTogether()
    {
        using ThreadTeam team = new(1);

        Assert.Throws<ArgumentException>(() => PackedMatrix.Pack(
            team, PanelFormat.F32, new ArrayMatrix(new float[2], 1, 2), new ArrayMatrix(new float[3], 1, 3)));
        Assert.Throws<ArgumentException>(() => PackedMatrix.PackPaired(
            team, PanelFormat.F32, new ArrayMatrix(new float[2], 1, 2), new ArrayMatrix(new float[4], 2, 2)));
    }
}
