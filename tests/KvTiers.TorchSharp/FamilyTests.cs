using System.Text.Json.Nodes;
using KvTiers.Inference.Model;
using KvTiers.TorchSharp.Models;

namespace KvTiers.TorchSharp.Tests;

/// <summary>What our own engine computes and the models in TorchSharp do not is refused by name, before libtorch is asked for anything.</summary>
public sealed class FamilyTests
{
    [Theory]
    [InlineData("qwen3", "architectures: is Qwen3ForCausalLM; in TorchSharp there are")]
    [InlineData("gemma3", "architectures: is Gemma3ForCausalLM; in TorchSharp there are")]
    [InlineData("gpt-neox", "architectures: is GPTNeoXForCausalLM; in TorchSharp there are")]
    [InlineData("mixtral", "architectures: is MixtralForCausalLM; in TorchSharp there are")]
    [InlineData("ministral-alternating", "architectures: is MinistralForCausalLM; in TorchSharp there are")]
    [InlineData("llama-gelu", "hidden_act: must be Silu in TorchSharp.")]
    [InlineData("llama-rope-yarn", "rope_scaling: must be default, linear, dynamic or llama3 in TorchSharp.")]
    public void WhatIsNotComputedIsRefusedByName(string fixture, string message)
    {
        string folder = Path.Combine(Repository.Root, "tests", "Golden", "fixtures", fixture);

        ModelFormatException error = Assert.Throws<ModelFormatException>(() => TorchModel.Load(folder));

        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AGpt2OfAnotherActivationIsRefused()
    {
        using var folder = new TemporaryFolder();
        JsonObject config = JsonNode.Parse(File.ReadAllText(Path.Combine(Repository.Root, "tests", "Golden", "fixtures", "gpt2-prefixed", "config.json")))!.AsObject();
        config["activation_function"] = "gelu";
        File.WriteAllText(Path.Combine(folder.Path, "config.json"), config.ToJsonString());

        ModelFormatException error = Assert.Throws<ModelFormatException>(() => TorchModel.Load(folder.Path));

        Assert.Contains("activation_function: must be GeluTanh in TorchSharp.", error.Message, StringComparison.Ordinal);
    }
}
