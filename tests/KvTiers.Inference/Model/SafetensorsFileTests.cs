using System.Buffers.Binary;
using System.Text;
using KvTiers.Inference.Model;

namespace KvTiers.Inference.Tests.Model;

public sealed class SafetensorsFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void TensorsAreReadInEveryFloatFormat()
    {
        byte[] data = new byte[24];
        BinaryPrimitives.WriteSingleLittleEndian(data, 1.5f);
        BinaryPrimitives.WriteSingleLittleEndian(data.AsSpan(4), -2f);
        BinaryPrimitives.WriteHalfLittleEndian(data.AsSpan(8), (Half)0.25);
        BinaryPrimitives.WriteHalfLittleEndian(data.AsSpan(10), (Half)(-3));
        BinaryPrimitives.WriteUInt16LittleEndian(data.AsSpan(12), 0x3F80);
        BinaryPrimitives.WriteUInt16LittleEndian(data.AsSpan(14), 0xC040);
        string path = Write("""
            {"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},
            "b":{"dtype":"F16","shape":[2],"data_offsets":[8,12]},"c":{"dtype":"BF16","shape":[2],"data_offsets":[12,16]},
            "mask":{"dtype":"I64","shape":[1],"data_offsets":[16,24]},"empty":{"dtype":"F32","shape":[0,3],"data_offsets":[16,16]}}
            """, data);

        using SafetensorsFile file = new(path);

        Assert.Equal(["a", "b", "c", "empty", "mask"], file.Tensors.Keys.Order());
        Assert.Equal([1.5f, -2f], Read(file.Tensors["a"].Require(1, 2)));
        Assert.Equal([0.25f, -3f], Read(file.Tensors["b"].Require(2)));
        Assert.Equal([1f, -3f], Read(file.Tensors["c"].Require(2)));
        Assert.Contains("mask: has elements of type I64", Assert.Throws<ModelFormatException>(() => file.Tensors["mask"].Require(1)).Message, StringComparison.Ordinal);
        Assert.Contains("a: has shape [1, 2] but config.json asks for [2, 1]", Assert.Throws<ModelFormatException>(() => file.Tensors["a"].Require(2, 1)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 4, "outside the 4 bytes of data")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 12, "12 bytes of data but its header names 8")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", 8, "a: has 8 bytes but F32 of shape [3] takes 12")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}}""", 8, "a: has 8 bytes but")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", 8, "a: has -2 in shape")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}""", 8, "a: has 2.5 in shape")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", 8, "a: has data_offsets [8, 0]")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}""", 8, "a: must have two data_offsets")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2]}}""", 8, "a: must have two data_offsets")]
    [InlineData("""{"a":{"dtype":"F32","data_offsets":[0,8]}}""", 8, "a: has no shape")]
    [InlineData("""{"a":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}}""", 8, "a: has the unknown dtype F33")]
    [InlineData("""{"a":{"shape":[2],"data_offsets":[0,8]}}""", 8, "a: has the unknown dtype (none)")]
    [InlineData("""{"a":5}""", 0, "a: must be a JSON object")]
    [InlineData("""{"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}}""", 8, "a: must have a list as shape")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12, "b: begins at byte 4")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}}""", 16, "b: begins at byte 12")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "a: is in the header twice")]
    [InlineData("""[1]""", 0, "not a JSON object")]
    [InlineData("""{"a":""", 0, "not JSON")]
    [InlineData("""{"\ud800":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 8, "not JSON")]
    [InlineData("""{"a":{"dtype":"\ud800","shape":[2],"data_offsets":[0,8]}}""", 8, "not JSON")]
    [InlineData("""{"a":{"dtype":"F32","shape":[9223372036854775807,9223372036854775807,9223372036854775807],"data_offsets":[0,8]}}""", 8, "a: has 8 bytes but")]
    public void AHeaderThatLiesIsRefusedWithFileTensorAndRule(string header, int dataBytes, string rule)
    {
        string path = Write(header, new byte[dataBytes]);

        ModelFormatException error = Assert.Throws<ModelFormatException>(() => new SafetensorsFile(path));

        Assert.Equal(path, error.Path);
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
        Assert.Contains(rule, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AFileCutAnywhereIsRefused()
    {
        byte[] whole = File.ReadAllBytes(Write("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", new byte[8]));
        string path = _folder.Sub("cut.safetensors");
        for (int length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(path, whole[..length]);
            Assert.Throws<ModelFormatException>(() => new SafetensorsFile(path));
        }
    }

    [Fact]
    public void AnAbsurdHeaderLengthIsRefused()
    {
        string path = _folder.Sub("absurd.safetensors");
        File.WriteAllBytes(path, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3]);

        Assert.Contains("claims a header of 18446744073709551615 bytes", Assert.Throws<ModelFormatException>(() => new SafetensorsFile(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AMissingFileIsNamed()
    {
        ModelFormatException error = Assert.Throws<ModelFormatException>(() => new SafetensorsFile(_folder.Sub("none.safetensors")));

        Assert.Contains("none.safetensors: cannot be read.", error.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private static float[] Read(SafetensorsTensor tensor)
    {
        float[] values = new float[2];
        tensor.Read(0, 1, values);
        return values;
    }

    private string Write(string header, byte[] data)
    {
        string path = _folder.Sub("model.safetensors");
        byte[] text = Encoding.UTF8.GetBytes(header);
        byte[] length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, text.Length);
        File.WriteAllBytes(path, [.. length, .. text, .. data]);
        return path;
    }
}
