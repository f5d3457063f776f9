using System.Buffers.Binary;
using KvTiers.Inference.Model;
using KvTiers.Inference.Model.Gguf;
using KvTiers.MakeModel;

namespace KvTiers.Inference.Tests.Model;

public sealed class GgufFileTests(ITestOutputHelper output) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void MetadataAndTensorsAreRead()
    {
        using GgufFile file = new(Write(Whole()));

        Assert.Equal("llama", file.Require("general.architecture").Text());
        Assert.Equal(7, file.Require("count").Int(0, 10));
        Assert.Equal(0.5, file.Require("factor").Number());
        Assert.True(file.Require("flag").Flag());
        Assert.Equal(["a", "bé"], file.Require("texts").Texts());
        Assert.Equal([1, -2], file.Require("numbers").Ints());
        Assert.Null(file.Find("other"));
        Assert.Equal(["first", "second"], file.Tensors.Keys);
        Assert.Equal([2, 32], file.Tensors["first"].Shape);
        Assert.Equal("Q8_0", file.Tensors["first"].Elements.Name);
        Assert.Equal(68, file.Tensors["first"].ByteCount);
    }

    [Fact]
    public void WhatIsAskedForAsAnotherTypeIsAnErrorThatNamesKeyAndRule()
    {
        using GgufFile file = new(Write(Whole()));

        Assert.Contains("count: is 7 but must be a whole number from 8 to 9.", Error(() => file.Require("count").Int(8, 9)), StringComparison.Ordinal);
        Assert.Contains("texts: is a list of 2 entries of type String but must be a text.", Error(() => file.Require("texts").Text()), StringComparison.Ordinal);
        Assert.Contains("flag: is True but must be a number.", Error(() => file.Require("flag").Number()), StringComparison.Ordinal);
        Assert.Contains("other: is required.", Error(() => file.Require("other")), StringComparison.Ordinal);
    }

    public static TheoryData<string, string> Hostile => new()
    {
        { "", "has 0 bytes and is no GGUF file" },
        { "47474f46 03000000", "does not begin with GGUF" },
        { "47475546", "version: ends beyond the file" },
        { "47475546 01000000", "version: is 1; supported are 2 and 3" },
        { "47475546 00000003", "version: is 50331648" },
        { Header("ffffffffffffffff", "0000000000000000"), "tensor count: claims 18446744073709551615 entries" },
        { Header("0000000000000000", "ffffffffffffff7f"), "metadata count: claims 9223372036854775807 entries" },
        { Key("ffffffffffffffff"), "metadata key 0: claims 18446744073709551615 entries" },
        { Key("0100000000000000 ff 00000000 00"), "metadata key 0: must be UTF-8" },
        { Key("0100000000000000 61 0d000000 0000"), "a: has a value of type 13" },
        { Key("0100000000000000 61 07000000 02"), "a: is the truth value 2" },
        { Key("0100000000000000 61 0a000000 ffffffffffffffff"), "a: is a number beyond 2^63" },
        { Key("0100000000000000 61 09000000 08000000 ffffffffffffffff"), "a: claims 18446744073709551615 entries" },
        { Key("0100000000000000 61 09000000 04000000 0100000000000000 ffffffff"), "a: has 4294967295 at 0" },
        { Key("0100000000000000 61 09000000" + string.Concat(Enumerable.Repeat("09000000 0100000000000000", 6)) + "00000000 0000000000000000"), "a: has lists in lists more than 4 deep" },
        { Keys("0100000000000000 61 00000000 00 0100000000000000 61 00000000 00"), "a: is in the metadata twice" },
        { Tensor("00000000"), "t: has 0 dimensions" },
        { Tensor("05000000"), "t: has 5 dimensions" },
        { Tensor("01000000 0000000000000000"), "t: has a dimension that is not from 1" },
        { Tensor("01000000 ffffffffffffffff"), "t: has a dimension that is not from 1" },
        { Tensor("01000000 2000000000000000 10000000"), "t: has elements of type 16, IQ2_XXS; supported are F32, F16, Q4_0" },
        { Tensor("01000000 2000000000000000 e7030000"), "t: has elements of type 999; supported are" },
        { Tensor("01000000 2100000000000000 08000000 0000000000000000"), "t: has rows of 33 elements, which must be a multiple of 32 for Q8_0" },
        { Tensor("01000000 0100000000000000 00000000 0100000000000000"), "t: begins at byte 1 of the data, which must be a multiple of 32" },
        { Tensor("04000000 ffffff7f00000000 ffffff7f00000000 ffffff7f00000000 ffffff7f00000000 00000000 0000000000000000"), "t: takes 85070591571778290947995441078751723524 bytes" },
        { Tensor("01000000 0100000000000000 00000000 e0ffffffffffffff"), "bytes at byte 18446744073709551584 of the data" },
        { Tensor("01000000 0100000000000000 00000000 0000000000000000"), "t: ends beyond the file" },
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public void WhatAFileClaimsAndDoesNotHoldIsRefused(string bytes, string expected)
    {
        string path = Write(Convert.FromHexString(bytes.Replace(" ", "", StringComparison.Ordinal)));

        string message = Error(() => new GgufFile(path).Dispose());

        Assert.StartsWith(path, message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.Ordinal);
    }

    [Fact]
    public void TensorsThatShareBytesAreRefused()
    {
        byte[] bytes = Whole();
        int second = bytes.AsSpan().IndexOf("second"u8) + 6 + 4 + 8 + 4;
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(second), 32);

        Assert.Contains("second: shares bytes with first.", Error(() => new GgufFile(Write(bytes)).Dispose()), StringComparison.Ordinal);
    }

    [Fact]
    public void AFileThatEndsAnywhereIsRefused()
    {
        byte[] bytes = Whole();
        int dataEnd = bytes.Length - 32 + 4;
        for (int length = 0; length < dataEnd; length++)
            Error(() => new GgufFile(Write(bytes[..length])).Dispose());
    }

    /// <summary>Files with some bytes changed are read or refused, and nothing else happens; so are the models and vocabularies that they hold.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void MutatedFilesAreReadOrRefused(int seed)
    {
        TestModel model = TestModel.Llama(vocabulary: 64, hidden: 64, intermediate: 32, layers: 1);
        byte[] whole = GgufModelTests.Convert(model, _ => GgufType.Q8_0).Write();
        int headerBytes = whole.AsSpan().IndexOf("blk.0.attn_norm"u8) + 400;
        Random random = new(seed);
        int read = 0, refused = 0;
        for (int i = 0; i < 1_500; i++)
        {
            byte[] bytes = [.. whole];
            for (int change = random.Next(1, 4); change > 0; change--)
                Mutate(bytes, random, Math.Min(headerBytes, bytes.Length));
            string path = Write(bytes);
            try
            {
                ModelConfig.Load(path);
                using WeightFiles files = new(path);
                using GgufFile file = new(path);
                foreach (GgufTensor tensor in file.Tensors.Values)
                    new SafetensorsTensor(path, tensor.Name, tensor, null).Read(0, 1, new float[Math.Min(1_000, tensor.ByteCount / tensor.Elements.BlockBytes)]);
                read++;
            }
            catch (ModelFormatException exception)
            {
                Assert.StartsWith(path, exception.Message, StringComparison.Ordinal);
                refused++;
            }
        }

        output.WriteLine($"{read} read, {refused} refused");
        Assert.True(read > 20 && refused > 500, $"{read} read, {refused} refused");
    }

    public void Dispose() => _folder.Dispose();

    private static void Mutate(byte[] bytes, Random random, int end)
    {
        int at = random.Next(end - 8);
        switch (random.Next(4))
        {
            case 0:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1:
                bytes[at] = (byte)random.Next(256);
                break;
            case 2:
                BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(at), random.NextInt64() >> random.Next(64));
                break;
            default:
                bytes.AsSpan(random.Next(end - 8), 8).CopyTo(bytes.AsSpan(at));
                break;
        }
    }

    private static byte[] Whole() => GgufWriter.Write(
        new Dictionary<string, object>
        {
            ["general.architecture"] = "llama",
            ["count"] = 7u,
            ["factor"] = 0.5f,
            ["flag"] = true,
            ["texts"] = (string[])["a", "bé"],
            ["numbers"] = (int[])[1, -2],
        },
        [
            new WrittenTensor("first", [2, 32], (int)GgufType.Q8_0, GgufQuantiser.Encode(GgufType.Q8_0, new float[64])),
            new WrittenTensor("second", [1], (int)GgufType.F32, new byte[4]),
        ]);

    private static string Header(string tensors, string keys) => $"47475546 03000000 {tensors} {keys}";

    // Enough zeros behind, so that counts fit.
    private static string Key(string rest) => Header("0000000000000000", "0100000000000000") + rest + (rest.Length < 17 ? new string('0', 40) : "");

    private static string Keys(string rest) => Header("0000000000000000", "0200000000000000") + rest;

    private static string Tensor(string rest) => Header("0100000000000000", "0000000000000000") + "0100000000000000 74" + rest + (rest.Length < 40 ? new string('0', 60) : "");

    private static string Error(Action action) => Assert.Throws<ModelFormatException>(action).Message;

    private string Write(byte[] bytes)
    {
        string path = _folder.Sub("test.gguf");
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
