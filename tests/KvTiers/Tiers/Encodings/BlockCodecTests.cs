using System.Runtime.InteropServices;
using KvTiers.Blocks;
using KvTiers.Tiers.Encodings;

namespace KvTiers.Tests.Tiers.Encodings;

public sealed class BlockCodecTests
{
    private static readonly BlockLayout Float = new(Layers: 3, KvHeads: 2, HeadDim: 32);
    private static readonly BlockLayout Brain = new(Layers: 3, KvHeads: 2, HeadDim: 32, KvFormat.BF16);

    [Fact]
    public void SizesAreHalfAndQuarterOfBFloat16PlusScales()
    {
        int elements = 3 * 2 * 2 * 16 * 32;
        int scales = 3 * 2 * 2 * (16 / 4) * 2;
        Assert.Equal(4 * elements, BlockCodec.Create(Float, BlockEncoding.Hot).EncodedBytes);
        Assert.Equal(2 * elements, BlockCodec.Create(Float, BlockEncoding.BFloat16).EncodedBytes);
        Assert.Equal(elements + scales, BlockCodec.Create(Float, BlockEncoding.Float8E4M3).EncodedBytes);
        Assert.Equal(elements + scales, BlockCodec.Create(Float, BlockEncoding.Int8).EncodedBytes);
        Assert.Equal((elements / 2) + scales, BlockCodec.Create(Float, BlockEncoding.Int4).EncodedBytes);
    }

    [Fact]
    public void LosslessEncodingsGiveBackTheSameBytes()
    {
        byte[] random = new byte[Float.BytesPerBlock];
        new Random(1).NextBytes(random);
        AssertSameBytes(BlockCodec.Create(Float, BlockEncoding.Hot), random);
        AssertSameBytes(BlockCodec.Create(Brain, BlockEncoding.Hot), random.AsSpan(0, Brain.BytesPerBlock));
        AssertSameBytes(BlockCodec.Create(Brain, BlockEncoding.BFloat16), random.AsSpan(0, Brain.BytesPerBlock));
    }

    [Fact]
    public void OnlyEncodingsThatKeepEveryBitCallThemselvesLossless()
    {
        foreach (BlockEncoding encoding in Enum.GetValues<BlockEncoding>())
        {
            Assert.Equal(encoding == BlockEncoding.Hot, BlockCodec.Create(Float, encoding).IsLossless);
            Assert.Equal(encoding is BlockEncoding.Hot or BlockEncoding.BFloat16, BlockCodec.Create(Brain, encoding).IsLossless);
        }
    }

    [Theory]
    [InlineData(1.00390625f, 1f)] // half way between 1 and 1.0078125: to even
    [InlineData(1.01171875f, 1.015625f)] // half way: up to even
    [InlineData(3.4028235e38f, float.PositiveInfinity)]
    [InlineData(float.NaN, float.NaN)]
    [InlineData(-0f, -0f)]
    public void BFloat16RoundsToNearestEven(float value, float expected)
    {
        float[] block = new float[Float.BytesPerBlock / 4];
        block[17] = value;
        float[] decoded = RoundTrip(BlockCodec.Create(Float, BlockEncoding.BFloat16), block);
        Assert.Equal(BitConverter.SingleToInt32Bits(expected), BitConverter.SingleToInt32Bits(decoded[17]));
    }

    /// <summary>An element's error is at most half a step of its group: scale / 2, or for E4M3 a sixteenth of its magnitude.</summary>
    [Theory]
    [InlineData(BlockEncoding.Int8, 1, 127f)]
    [InlineData(BlockEncoding.Int8, 16, 127f)]
    [InlineData(BlockEncoding.Int4, 4, 7f)]
    [InlineData(BlockEncoding.Float8E4M3, 4, 448f)]
    public void TheErrorStaysWithinHalfAStepOfTheGroupScale(BlockEncoding encoding, int tokensPerScale, float maxMagnitude)
    {
        var random = new Random(7);
        float[] block = Enumerable.Range(0, Float.BytesPerBlock / 4).Select(_ => (float)(random.NextDouble() - 0.5) * 8).ToArray();
        block[5] = 0;
        float[] decoded = RoundTrip(BlockCodec.Create(Float, encoding, tokensPerScale), block);
        for (int head = 0; head < 6; head++)
        {
            for (int token = 0; token < 16; token++)
            {
                int[] keys = [.. Enumerable.Range(0, 32).Select(d => (head * 2 * 512) + (d * 16) + token)];
                int[] values = [.. Enumerable.Range(0, 32).Select(d => (head * 2 * 512) + 512 + (token * 32) + d)];
                AssertGroup(keys, t => (head * 2 * 512) + t, 16);
                AssertGroup(values, t => (head * 2 * 512) + 512 + (t * 32), 1);

                void AssertGroup(int[] elements, Func<int, int> firstOfToken, int stride)
                {
                    int group = token / tokensPerScale * tokensPerScale;
                    float largest = Enumerable.Range(group, tokensPerScale)
                        .SelectMany(t => Enumerable.Range(0, 32).Select(d => Math.Abs(block[firstOfToken(t) + (d * stride)]))).Max();
                    float scale = largest / maxMagnitude * 1.01f;
                    foreach (int element in elements)
                    {
                        float allowed = encoding == BlockEncoding.Float8E4M3
                            ? Math.Max(Math.Abs(block[element]) / 16 * 1.001f, scale / 1024)
                            : scale / 2 * 1.001f;
                        Assert.InRange(Math.Abs(decoded[element] - block[element]), 0, allowed);
                    }
                }
            }
        }
    }

    [Theory]
    [InlineData(BlockEncoding.Float8E4M3)]
    [InlineData(BlockEncoding.Int8)]
    [InlineData(BlockEncoding.Int4)]
    public void EncodingADecodedBlockAgainChangesNothing(BlockEncoding encoding)
    {
        var random = new Random(3);
        float[] block = Enumerable.Range(0, Float.BytesPerBlock / 4).Select(_ => (float)random.NextDouble() - 0.5f).ToArray();
        float[] once = RoundTrip(BlockCodec.Create(Float, encoding), block);
        float[] twice = RoundTrip(BlockCodec.Create(Float, encoding), once);
        Assert.True(once.Zip(twice).All(pair => Math.Abs(pair.First - pair.Second) <= Math.Abs(pair.First) * 0.02f));
    }

    [Fact]
    public void EveryE4M3CodeIsReadAsItsValueAndWrittenBackAsItself()
    {
        unsafe
        {
            byte* codes = stackalloc byte[16];
            byte* again = stackalloc byte[16];
            for (int first = 0; first < 256; first += 16)
            {
                for (int i = 0; i < 16; i++)
                    codes[i] = (byte)(first + i);

                var values = Float8Quantizer.Load(codes);
                Float8Quantizer.Store(values, again);
                for (int i = 0; i < 16; i++)
                {
                    int code = first + i;
                    if ((code & 0x7F) == 0x7F)
                        continue; // NaN, which the codec never writes

                    int exponent = code >> 3 & 15, mantissa = code & 7;
                    double magnitude = exponent == 0 ? mantissa * Math.Pow(2, -9) : (1 + (mantissa / 8.0)) * Math.Pow(2, exponent - 7);
                    Assert.Equal((code & 0x80) != 0 ? -magnitude : magnitude, values[i]);
                    Assert.Equal(code, again[i]);
                }
            }
        }
    }

    [Fact]
    public void WrongShapesAndLengthsAreRefused()
    {
        Assert.Throws<ArgumentException>(() => BlockCodec.Create(new BlockLayout(1, 1, 24), BlockEncoding.Int8));
        Assert.Throws<ArgumentException>(() => BlockCodec.Create(new BlockLayout(1, 1, 16, KvFormat.F32, 8), BlockEncoding.Int4));
        Assert.Throws<ArgumentOutOfRangeException>(() => BlockCodec.Create(Float, BlockEncoding.Int8, tokensPerScale: 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => BlockCodec.Create(Float, (BlockEncoding)99));
        BlockCodec codec = BlockCodec.Create(Float, BlockEncoding.Int8);
        Assert.Throws<ArgumentException>(() => codec.Encode(new byte[8], new byte[codec.EncodedBytes]));
        Assert.Throws<ArgumentException>(() => codec.Decode(new byte[8], new byte[Float.BytesPerBlock]));
    }

    private static void AssertSameBytes(BlockCodec codec, ReadOnlySpan<byte> block)
    {
        byte[] encoded = new byte[codec.EncodedBytes];
        byte[] decoded = new byte[block.Length];
        codec.Encode(block, encoded);
        codec.Decode(encoded, decoded);
        Assert.Equal(block.ToArray(), decoded);
    }

    private static float[] RoundTrip(BlockCodec codec, float[] block)
    {
        byte[] encoded = new byte[codec.EncodedBytes];
        float[] decoded = new float[block.Length];
        codec.Encode(MemoryMarshal.AsBytes<float>(block), encoded);
        codec.Decode(encoded, MemoryMarshal.AsBytes(decoded.AsSpan()));
        return decoded;
    }
}
