using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using KvTiers.Conversations;
using KvTiers.Inference.Model;
using KvTiers.Inference.Tokens;
using KvTiers.MakeModel;

namespace KvTiers.Inference.Tests.MakeModel;

public sealed class RandomModelTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("gpt2", 124_439_808L)]
    [InlineData("smollm2-135m", 134_515_008L)]
    [InlineData("smollm2-1.7b", 1_711_376_384L)]
    [InlineData("llama-3.2-1b", 1_235_814_400L)]
    public void ANamedShapeHasAsManyParametersAsThePublicModel(string name, long parameters) =>
        Assert.Equal(parameters, RandomWeights.Of(ModelShape.Find(name)).Sum(tensor => tensor.Info.Count));

    [Fact]
    public void AnUnknownShapeIsRefusedWithTheListOfAll()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => ModelShape.Find("gpt5"));

        Assert.Contains("'gpt5' is no shape; there are gpt2, smollm2-135m,", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void SameSeedWritesSameBytesAndAnotherSeedOthers()
    {
        string first = Write("first", new RandomModelOptions { Seed = 3 });
        string second = Write("second", new RandomModelOptions { Seed = 3 });
        string other = Write("other", new RandomModelOptions { Seed = 4 });

        foreach (string file in Directory.GetFiles(first).Select(Path.GetFileName).OfType<string>())
            Assert.Equal(File.ReadAllBytes(Path.Combine(first, file)), File.ReadAllBytes(Path.Combine(second, file)));
        Assert.NotEqual(File.ReadAllBytes(Path.Combine(first, "model.safetensors")), File.ReadAllBytes(Path.Combine(other, "model.safetensors")));
    }

    [Theory]
    [InlineData(TensorType.F32)]
    [InlineData(TensorType.F16)]
    [InlineData(TensorType.BF16)]
    public void WeightsHaveTheAnnouncedShapeOffsetsAndScale(TensorType type)
    {
        string folder = Write(type.ToString(), new RandomModelOptions { Type = type });

        Dictionary<string, StoredTensor> tensors = Read(Path.Combine(folder, "model.safetensors"));

        Assert.Equal(2 + (3 * 9), tensors.Count);
        StoredTensor gate = tensors["model.layers.1.mlp.gate_proj.weight"];
        Assert.Equal(type.ToString(), gate.Type);
        Assert.Equal([160, 64], gate.Shape);
        Assert.Equal(160 * 64, gate.Values.Length);
        Assert.Equal(0, gate.Values.Average(), 0.01);
        Assert.Equal(1.0 / 64, gate.Values.Average(value => value * value), 0.001);
        Assert.Equal(1, tensors["model.norm.weight"].Values.Average(), 0.05);
        Assert.NotEqual(gate.Values[..100], tensors["model.layers.0.mlp.gate_proj.weight"].Values[..100]);
    }

    [Fact]
    public void Bf16IsTheNearestToTheF32Value()
    {
        float[] exact = Read(Path.Combine(Write("f32", new RandomModelOptions { Type = TensorType.F32 }), "model.safetensors"))["model.embed_tokens.weight"].Values;
        float[] rounded = Read(Path.Combine(Write("bf16", new RandomModelOptions()), "model.safetensors"))["model.embed_tokens.weight"].Values;

        for (int i = 0; i < exact.Length; i++)
            Assert.True(Math.Abs(exact[i] - rounded[i]) <= Math.Abs(exact[i]) / 256, $"{exact[i]} became {rounded[i]}");
    }

    [Fact]
    public void ShardsHoldTheSameTensorsAsOneFile()
    {
        Dictionary<string, StoredTensor> whole = Read(Path.Combine(Write("whole", new RandomModelOptions()), "model.safetensors"));
        string folder = Write("shards", new RandomModelOptions { MaxShardBytes = 100_000 });

        using JsonDocument index = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "model.safetensors.index.json")));
        Dictionary<string, string> places = index.RootElement.GetProperty("weight_map").EnumerateObject().ToDictionary(place => place.Name, place => place.Value.GetString()!);
        Assert.True(places.Values.Distinct().Count() >= 3);
        Assert.Equal(whole.Keys.Order(), places.Keys.Order());
        foreach ((string name, string file) in places)
            Assert.Equal(whole[name].Values, Read(Path.Combine(folder, file))[name].Values);
    }

    [Theory]
    [InlineData("tiny", 640)]
    [InlineData("tiny-gpt2", 640)]
    public void TheTokenizerFillsTheVocabularyAndEachMergeBuildsAToken(string name, int vocabulary)
    {
        string folder = _folder.Sub(name);
        RandomModel.Write(ModelShape.Find(name), folder);

        using JsonDocument tokenizer = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "tokenizer.json")));
        JsonElement model = tokenizer.RootElement.GetProperty("model");
        Dictionary<string, int> ids = model.GetProperty("vocab").EnumerateObject().ToDictionary(token => token.Name, token => token.Value.GetInt32());
        Assert.Equal(Enumerable.Range(0, vocabulary), ids.Values.Order());
        Assert.Equal(0, ids["<|endoftext|>"]);
        Assert.Equal(2, ids["<|im_end|>"]);
        Assert.Equal(3 + 'A', ids["A"]);
        Assert.Equal(3 + ' ', ids["\u0120"]);
        Assert.Equal(3 + '\n', ids["\u010A"]);
        int expected = 259;
        foreach (string merge in model.GetProperty("merges").EnumerateArray().Select(merge => merge.GetString()!))
        {
            string[] parts = merge.Split(' ');
            Assert.True(ids[parts[0]] < expected && ids[parts[1]] < expected);
            Assert.Equal(expected++, ids[parts[0] + parts[1]]);
        }

        Assert.Equal(vocabulary, expected);
    }

    [Theory]
    [InlineData("tiny")]
    [InlineData("tiny-gpt2")]
    public void AFolderLoadsAndEncodesAChat(string name)
    {
        string folder = _folder.Sub(name);
        RandomModel.Write(ModelShape.Find(name), folder);

        using LanguageModel model = LanguageModel.Load(folder, new ModelOptions { Threads = 1 });
        ChatPrompt prompt = ChatPrompt.Load(folder);
        ChatTokens tokens = prompt.Encode([new ChatMessage("user", "Hello, wörld 🙂")], addGenerationPrompt: true);

        Assert.Equal(640, model.Config.Vocabulary);
        Assert.Equal([2, 0], prompt.Tokenizer.EndOfText);
        Assert.Equal("<|im_start|>user\nHello, wörld 🙂<|im_end|>\n<|im_start|>assistant\n", prompt.Tokenizer.Decode(tokens.Ids, skipSpecial: false));
        Assert.Equal([1, 2, 1], tokens.Ids.Where(prompt.Tokenizer.IsSpecial));
    }

    [Fact]
    public void MoreOrFewerValuesThanAnnouncedAreAnError()
    {
        using var writer = new SafetensorsWriter(_folder.Sub("short.safetensors"), [new TensorInfo("a", [2, 2])], TensorType.F32);
        writer.Write([1, 2, 3]);

        Assert.Throws<InvalidOperationException>(writer.Complete);
        Assert.Throws<InvalidOperationException>(() => writer.Write([4, 5]));
    }

    private string Write(string name, RandomModelOptions options)
    {
        string folder = _folder.Sub(name);
        RandomModel.Write(ModelShape.Find("tiny"), folder, options);
        return folder;
    }

    private static Dictionary<string, StoredTensor> Read(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        int start = 8 + (int)BinaryPrimitives.ReadInt64LittleEndian(file);
        Assert.Equal(0, start % 8);
        using JsonDocument header = JsonDocument.Parse(file.AsMemory(8, start - 8));
        var tensors = new Dictionary<string, StoredTensor>();
        foreach (JsonProperty entry in header.RootElement.EnumerateObject().Where(entry => entry.Name != "__metadata__"))
        {
            string type = entry.Value.GetProperty("dtype").GetString()!;
            int[] shape = [.. entry.Value.GetProperty("shape").EnumerateArray().Select(dimension => dimension.GetInt32())];
            int first = entry.Value.GetProperty("data_offsets")[0].GetInt32();
            int end = entry.Value.GetProperty("data_offsets")[1].GetInt32();
            tensors[entry.Name] = new StoredTensor(type, shape, Decode(type, file.AsSpan(start + first, end - first)));
        }

        return tensors;
    }

    private static float[] Decode(string type, ReadOnlySpan<byte> bytes) => type switch
    {
        "F32" => MemoryMarshal.Cast<byte, float>(bytes).ToArray(),
        "F16" => Array.ConvertAll(MemoryMarshal.Cast<byte, Half>(bytes).ToArray(), value => (float)value),
        _ => Array.ConvertAll(MemoryMarshal.Cast<byte, ushort>(bytes).ToArray(), value => BitConverter.UInt32BitsToSingle((uint)value << 16)),
    };

    private sealed record StoredTensor(string Type, int[] Shape, float[] Values);
}
