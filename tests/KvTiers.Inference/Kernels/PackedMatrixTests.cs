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

    [Theory]
    [InlineData((int)PanelFormat.Int4, 5 * 64 + 19 * 128)]
    [InlineData((int)PanelFormat.Int4Affine, 5 * 128 + 19 * 128)]
    public void FourBitWeightsAreReadBackWithinAFewStepsOfTheirGroup(int format, long panelBytes)
    {
        const int Inputs = 150, Outputs = 37;
        Random random = new(4);
        float[] values = [.. Enumerable.Range(0, Inputs * Outputs).Select(_ => random.NextSingle() - 0.5f)];
        values[70] = 40; // Coarse steps, but for its own group only.
        values.AsSpan(3 * Inputs, 64).Clear();
        using ThreadTeam team = new(2);
        using PackedMatrix matrix = PackedMatrix.Pack(team, (PanelFormat)format, new ArrayMatrix(values, Outputs, Inputs));

        Assert.Equal(panelBytes, matrix.PanelBytes);
        float[] row = new float[Inputs];
        for (int output = 0; output < Outputs; output++)
        {
            fixed (float* target = row)
                matrix.Read(output, target);
            for (int group = 0; group < Inputs; group += 32)
            {
                ReadOnlySpan<float> own = values.AsSpan(output * Inputs + group, Math.Min(32, Inputs - group));
                float most = 0, squares = 0, plain = 0;
                foreach (float value in own)
                    most = Math.Max(most, Math.Abs(value));
                for (int k = 0; k < own.Length; k++)
                {
                    squares += (own[k] - row[group + k]) * (own[k] - row[group + k]);
                    float step = most / 7, rounded = step == 0 ? 0 : MathF.Round(own[k] / step) * step;
                    plain += (own[k] - rounded) * (own[k] - rounded);
                    // An extreme weight may be cut to make the others finer.
                    Assert.True(Math.Abs(own[k] - row[group + k]) <= most / 5, $"{own[k]} became {row[group + k]}");
                }
                // The scale with the least sum of squared errors is no worse than the one that fits the greatest weight, but for its own rounding.
                if (format == (int)PanelFormat.Int4)
                    Assert.True(squares <= plain * 1.01f, $"squared errors {squares}, with the plain scale {plain}");
            }
        }
    }

    [Fact]
    public void GroupsThatASourceStoresAreKeptAsTheyAre()
    {
        const int Inputs = 72, Outputs = 35;
        using ThreadTeam team = new(1);
        foreach (PanelFormat format in (PanelFormat[])[PanelFormat.Int8By32, PanelFormat.Int4, PanelFormat.Int4Affine])
        {
            GroupedMatrix source = new(Outputs, Inputs, format);
            using PackedMatrix matrix = PackedMatrix.Pack(team, format, source);
            float[] row = new float[Inputs], expected = new float[Inputs];
            for (int output = 0; output < Outputs; output++)
            {
                fixed (float* target = row)
                    matrix.Read(output, target);
                source.Read(output, expected);
                Assert.Equal(expected, row);
            }
        }
    }

    // Weights in groups, whose floats would be rounded to other integers and scales.
    private sealed class GroupedMatrix(int outputs, int inputs, PanelFormat stored) : MatrixSource
    {
        public override int Outputs => outputs;

        public override int Inputs => inputs;

        public override void Read(int output, Span<float> weights)
        {
            GroupedWeights groups = new(inputs);
            TryRead(output, stored, groups);
            for (int k = 0; k < inputs; k++)
            {
                float scale = (float)groups.Scales[k / 32];
                int integer = groups.Integers[k];
                weights[k] = stored switch
                {
                    PanelFormat.Int8By32 => scale * integer,
                    PanelFormat.Int4 => scale * (integer - 8),
                    _ => MathF.FusedMultiplyAdd(scale, integer, (float)groups.Least[k / 32]),
                };
            }
        }

        public override bool TryRead(int output, PanelFormat format, GroupedWeights weights)
        {
            if (format != stored)
                return false;
            Random random = new(output);
            for (int k = 0; k < inputs; k++)
                weights.Integers[k] = (sbyte)(format == PanelFormat.Int8By32 ? random.Next(-128, 128) : random.Next(1, 9));
            // Of either sign, normal and not.
            for (int group = 0; group < weights.Scales.Length; group++)
                (weights.Scales[group], weights.Least[group]) = ((Half)(random.NextSingle() * (group % 2 == 0 ? -1 : 3e-5f)), (Half)(random.NextSingle() - 2));
            return true;
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
