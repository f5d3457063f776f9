using System.Text.Json.Nodes;
using KvTiers.Inference.Model;

namespace KvTiers.Inference.Tests.Model;

public sealed class WeightFilesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void AFolderWithoutWeightsIsRefused()
    {
        TestModel.Llama().Write(_folder.Path);
        File.Delete(_folder.Sub("model.safetensors"));

        Refused("model.safetensors: cannot be read.");
    }

    [Fact]
    public void AMissingTensorIsNamed()
    {
        TestModel model = TestModel.Llama();
        model.Tensors.Remove("model.layers.1.mlp.up_proj.weight");
        model.Write(_folder.Path);

        Refused("model.layers.1.mlp.up_proj.weight: is missing.");
    }

    [Fact]
    public void ATensorOfAnotherShapeThanTheConfigurationIsNamed()
    {
        TestModel model = TestModel.Llama();
        model.Config["intermediate_size"] = 80;
        model.Write(_folder.Path);

        Refused("model.layers.0.mlp.gate_proj.weight: has shape [88, 48] but config.json asks for [80, 48].");
    }

    [Fact]
    public void ATensorThatTheArchitectureDoesNotHaveIsRefused()
    {
        TestModel model = TestModel.Llama();
        model.Tensors["model.layers.0.self_attn.q_norm.weight"] = ([16], new float[16]);
        model.Write(_folder.Path);

        Refused("model.layers.0.self_attn.q_norm.weight: is a tensor that the architecture in config.json does not have.");
    }

    [Fact]
    public void WhatOldFilesCarryBesidesIsLetPass()
    {
        TestModel llama = TestModel.Llama();
        llama.Tensors["model.layers.0.self_attn.rotary_emb.inv_freq"] = ([8], new float[8]);
        llama.Tensors["lm_head.weight"] = ([101, 48], new float[101 * 48]);
        LanguageModel.Load(llama.Write(_folder.Sub("llama")), new ModelOptions { Threads = 1 }).Dispose();
        TestModel gpt2 = TestModel.Gpt2();
        gpt2.Tensors["transformer.h.0.attn.bias"] = ([1, 1, 4, 4], new float[16]);
        gpt2.Tensors["transformer.h.0.attn.masked_bias"] = ([1], new float[1]);
        LanguageModel.Load(gpt2.Write(_folder.Sub("gpt2")), new ModelOptions { Threads = 1 }).Dispose();
    }

    [Fact]
    public void AnIndexThatDisagreesWithItsShardsIsRefused()
    {
        TestModel.Llama().WriteShards(_folder.Path);
        string path = _folder.Sub("model.safetensors.index.json");
        string index = File.ReadAllText(path);

        Change(map => map["model.norm.weight"] = "model-0.safetensors");
        Refused("model.norm.weight: is missing, though model.safetensors.index.json places it here.");
        Change(map => map["model.norm.weight"] = "../model-1.safetensors");
        Refused("weight_map.model.norm.weight: must name a file of the same folder.");
        Change(map => map["model.norm.weight"] = "model-7.safetensors");
        Refused("model-7.safetensors: cannot be read.");
        File.WriteAllText(path, "{}");
        Refused("weight_map: is required.");
        File.WriteAllText(path, index);
        File.Copy(_folder.Sub("model-0.safetensors"), _folder.Sub("model-1.safetensors"), overwrite: true);
        Refused("is also in");

        void Change(Action<JsonObject> change)
        {
            JsonObject root = JsonNode.Parse(index)!.AsObject();
            change(root["weight_map"]!.AsObject());
            File.WriteAllText(path, root.ToJsonString());
        }
    }

    [Fact]
    public void ATruncatedModelIsRefused()
    {
        TestModel.Llama().Write(_folder.Path);
        string path = _folder.Sub("model.safetensors");
        using (FileStream file = new(path, FileMode.Open))
            file.SetLength(file.Length - 1);

        Refused(path);
    }

    public void Dispose() => _folder.Dispose();

    private void Refused(string message)
    {
        ModelFormatException error = Assert.Throws<ModelFormatException>(() => LanguageModel.Load(_folder.Path, new ModelOptions { Threads = 1 }));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.StartsWith(_folder.Path, error.Path, StringComparison.Ordinal);
    }
}
