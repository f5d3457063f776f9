using System.Runtime.InteropServices;
using System.Text.Json;
using KvTiers.Inference.Kernels;
using KvTiers.Inference.Model.Gguf;

namespace KvTiers.Inference.Tests.Model;

/// <summary>Blocks of every element type stand for the floats that an independent implementation finds in them (<c>tools/gguf_fixtures</c>), bit for bit.</summary>
public sealed unsafe class GgufElementsTests
{
    private static readonly JsonElement Golden = JsonDocument.Parse(File.ReadAllBytes(RepositoryPath("tests", "Golden", "gguf", "blocks.json"))).RootElement;

    public static TheoryData<string> Types => [.. Golden.EnumerateObject().Select(type => type.Name)];

    [Theory]
    [MemberData(nameof(Types))]
    public void BlocksAreTheFloatsOfAnIndependentImplementation(string name)
    {
        (GgufElements elements, byte[] blocks, float[] expected) = Read(name);
        float[] actual = new float[expected.Length];

        fixed (byte* start = blocks)
        {
            for (int i = 0; i * elements.BlockElements < expected.Length; i++)
                elements.Read(start + i * elements.BlockBytes, actual.AsSpan(i * elements.BlockElements, elements.BlockElements));
        }

        Assert.Equal(name, elements.Name);
        Assert.Equal(4, blocks.Length / elements.BlockBytes);
        // A scale of minus a zero may differ in the zero's sign: equal, as numbers are.
        Assert.Equal(expected, actual);
    }

    /// <summary>Panels with the file's own groups hold the very weights; those of Q4_K with scales and least values of 16 bits.</summary>
    [Theory]
    [InlineData("Q4_0", (int)PanelFormat.Int4, 0)]
    [InlineData("Q4_0", (int)PanelFormat.Int4Affine, 1e-6)]
    [InlineData("Q4_1", (int)PanelFormat.Int4Affine, 1e-6)]
    [InlineData("Q5_0", (int)PanelFormat.Int8By32, 0)]
    [InlineData("Q8_0", (int)PanelFormat.Int8By32, 0)]
    [InlineData("IQ4_NL", (int)PanelFormat.Int8By32, 0)]
    [InlineData("Q4_K", (int)PanelFormat.Int4Affine, 1.0 / 1024)]
    public void PanelsHoldTheGroupsOfTheFile(string name, int format, double tolerance)
    {
        (GgufElements elements, byte[] blocks, float[] expected) = Read(name);
        using ThreadTeam team = new(1);
        fixed (byte* start = blocks)
        {
            BlockMatrix source = new(elements, (nint)start, expected.Length);
            using PackedMatrix matrix = PackedMatrix.Pack(team, (PanelFormat)format, source);
            float[] actual = new float[expected.Length];
            fixed (float* target = actual)
                matrix.Read(0, target);

            for (int i = 0; i < expected.Length; i++)
            {
                float most = expected.AsSpan(i / 32 * 32, 32).ToArray().Max(Math.Abs);
                Assert.True(Math.Abs(expected[i] - actual[i]) <= tolerance * most, $"weight {i} is {expected[i]}, and {actual[i]} in the panel");
            }
            Assert.True(source.WasGrouped);
        }
    }

    [Fact]
    public void ScalesThatPanelsCannotHoldAreLeftToRounding()
    {
        (GgufElements elements, byte[] blocks, _) = Read("MXFP4");
        GroupedWeights weights = new(32);
        fixed (byte* start = blocks)
        {
            // The first block's exponent is 2^-1, the second's is below every 16-bit float.
            Assert.True(elements.TryRead(start, PanelFormat.Int8By32, weights.Integers, weights.Scales, weights.Least));
            Assert.False(elements.TryRead(start + elements.BlockBytes, PanelFormat.Int8By32, weights.Integers, weights.Scales, weights.Least));
        }
    }

    private static (GgufElements Elements, byte[] Blocks, float[] Floats) Read(string name)
    {
        JsonElement type = Golden.GetProperty(name);
        GgufElements elements = GgufElements.Find("file", "tensor", type.GetProperty("number").GetUInt32());
        Assert.Equal(type.GetProperty("block_elements").GetInt32(), elements.BlockElements);
        return (elements, Convert.FromHexString(type.GetProperty("blocks").GetString()!),
            MemoryMarshal.Cast<byte, float>(Convert.FromHexString(type.GetProperty("floats").GetString()!)).ToArray());
    }

    private static string RepositoryPath(params string[] parts) => Tokens.GoldenTokenizers.RepositoryPath(parts);

    private sealed class BlockMatrix(GgufElements elements, nint start, int inputs) : MatrixSource
    {
        public override int Outputs => 1;

        public override int Inputs => inputs;

        public bool WasGrouped { get; private set; }

        public override void Read(int output, Span<float> weights) => throw new InvalidOperationException("The groups are there.");

        public override bool TryRead(int output, PanelFormat format, GroupedWeights weights)
        {
            int size = elements.BlockElements, groups = size / 32;
            for (int i = 0; i < inputs / size; i++)
            {
                if (!elements.TryRead(
                    (byte*)start + i * elements.BlockBytes, format, weights.Integers.AsSpan(i * size, size), weights.Scales.AsSpan(i * groups, groups), weights.Least.AsSpan(i * groups, groups)))
                    return false;
            }
            return WasGrouped = true;
        }
    }
}
