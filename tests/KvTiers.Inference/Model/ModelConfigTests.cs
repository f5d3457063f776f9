using System.Text.Json.Nodes;
using KvTiers.Blocks;
using KvTiers.Inference.Model;

namespace KvTiers.Inference.Tests.Model;

public sealed class ModelConfigTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void ALlamaConfigurationIsRead()
    {
        ModelConfig config = Load("""
            {"architectures":["LlamaForCausalLM"],"model_type":"llama","hidden_size":2048,"intermediate_size":8192,"num_hidden_layers":16,
            "num_attention_heads":32,"num_key_value_heads":8,"head_dim":64,"vocab_size":128256,"max_position_embeddings":131072,"rms_norm_eps":1e-05,
            "rope_theta":500000.0,"hidden_act":"silu","tie_word_embeddings":true,"attention_bias":false,"mlp_bias":false,
            "rope_scaling":{"factor":32.0,"high_freq_factor":4.0,"low_freq_factor":1.0,"original_max_position_embeddings":8192,"rope_type":"llama3"}}
            """);

        Assert.Equal(new ModelConfig
        {
            Architecture = "LlamaForCausalLM",
            Layers = 16,
            Heads = 32,
            KvHeads = 8,
            HeadDim = 64,
            Hidden = 2048,
            Intermediate = 8192,
            Vocabulary = 128256,
            ContextLength = 131072,
            NormEpsilon = 1e-5f,
            TiedEmbeddings = true,
            LayerConfigs = [.. Enumerable.Repeat(new LayerConfig(Rotary: new RotaryConfig(500_000, 64, new RopeScaling.Llama3(32, 1, 4, 8192))), 16)],
        }, config);
        Assert.Equal(new BlockLayout(16, 8, 64, KvFormat.BF16), config.CreateLayout(KvFormat.BF16));
    }

    [Fact]
    public void WhatIsNotGivenIsDerived()
    {
        ModelConfig config = Load(Llama(json =>
        {
            json.Remove("head_dim");
            json.Remove("num_key_value_heads");
            json.Remove("tie_word_embeddings");
            json["architectures"] = null;
            json["model_type"] = "llama";
            json["rope_scaling"] = null;
        }));

        Assert.Equal((12, 4, false), (config.HeadDim, config.KvHeads, config.TiedEmbeddings));
    }

    [Fact]
    public void AGpt2ConfigurationIsRead()
    {
        ModelConfig config = Load("""
            {"activation_function":"gelu_new","architectures":["GPT2LMHeadModel"],"attn_pdrop":0.1,"initializer_range":0.02,"layer_norm_epsilon":1e-05,
            "model_type":"gpt2","n_ctx":1024,"n_embd":768,"n_head":12,"n_layer":12,"n_positions":1024,"vocab_size":50257}
            """);

        Assert.Equal(new ModelConfig
        {
            Architecture = "GPT2LMHeadModel",
            Layers = 12,
            Heads = 12,
            KvHeads = 12,
            HeadDim = 64,
            Hidden = 768,
            Intermediate = 3072,
            Vocabulary = 50257,
            ContextLength = 1024,
            NormEpsilon = 1e-5f,
            TiedEmbeddings = true,
            LayerConfigs = [.. Enumerable.Repeat(new LayerConfig(), 12)],
            Norm = NormKind.Layer,
            LearnedPositions = true,
            Activation = ActivationKind.GeluTanh,
            IsGated = false,
            QkvBias = true,
            OutputBias = true,
            FeedForwardBias = true,
        }, config);
    }

    [Fact]
    public void NewerFilesHaveRopeParameters()
    {
        ModelConfig plain = Load(Llama(json =>
        {
            json.Remove("rope_theta");
            json["rope_parameters"] = new JsonObject { ["rope_type"] = "default", ["rope_theta"] = 1e6 };
        }));
        ModelConfig linear = Load(Llama(json =>
            json["rope_parameters"] = new JsonObject { ["rope_type"] = "linear", ["rope_theta"] = 5e5, ["factor"] = 2 }));

        Assert.Equal(new RotaryConfig(1e6, 16), plain.LayerConfigs[0].Rotary);
        Assert.Equal(new RotaryConfig(5e5, 16, new RopeScaling.Linear(2)), linear.LayerConfigs[0].Rotary);
    }

    [Fact]
    public void TheTextThatStoredBlocksAreNamedByStaysAsItWas()
    {
        const string Llama3 = """
            architecture=Llama
            layers=3
            heads=4
            kv_heads=2
            head_dim=16
            hidden=48
            intermediate=88
            vocabulary=101
            norm_epsilon=1E-05
            tied_embeddings=1
            qkv_bias=1
            output_bias=0
            feed_forward_bias=0
            rope_theta=10000
            rope_llama3=8
            rope_low=1
            rope_high=4
            rope_original=512
            sliding_window=9
            first_windowed_layer=1

            """;
        const string Gpt2 = """
            architecture=Gpt2
            layers=2
            heads=3
            kv_heads=3
            head_dim=16
            hidden=48
            intermediate=192
            vocabulary=101
            norm_epsilon=1E-05
            tied_embeddings=1
            qkv_bias=1
            output_bias=1
            feed_forward_bias=1
            rope_theta=10000
            sliding_window=0
            first_windowed_layer=0

            """;
        ModelConfig windowed = Load(TestModel.Llama(layers: 3, architecture: "Qwen2ForCausalLM", edit: json =>
        {
            json["use_sliding_window"] = true;
            json["sliding_window"] = 9;
            json["max_window_layers"] = 1;
            json["rope_scaling"] = new JsonObject
            {
                ["rope_type"] = "llama3",
                ["factor"] = 8,
                ["low_freq_factor"] = 1,
                ["high_freq_factor"] = 4,
                ["original_max_position_embeddings"] = 512,
            };
        }).Config.ToJsonString());

        Assert.Equal(Llama3, windowed.Canonical());
        Assert.Equal(Gpt2, Load(TestModel.Gpt2().Config.ToJsonString()).Canonical());
    }

    [Fact]
    public void WhatYarnLeavesOutIsAsThePaperHasIt()
    {
        Assert.Equal(
            new RopeScaling.Yarn(4, 256, 32, 1, true, 0.1 * Math.Log(4) + 1),
            Scaling("""{"rope_type":"yarn","factor":4,"original_max_position_embeddings":256}"""));
        Assert.Equal(
            new RopeScaling.Yarn(4, 1_024, 16, 2, false, 1.5),
            Scaling("""{"rope_type":"yarn","factor":4,"beta_fast":16,"beta_slow":2,"truncate":false,"attention_factor":1.5}"""));
        Assert.Equal(
            (0.1 * 2 * Math.Log(4) + 1) / (0.1 * 0.5 * Math.Log(4) + 1),
            Scaling("""{"rope_type":"yarn","factor":4,"mscale":2,"mscale_all_dim":0.5}""")!.AttentionFactor);

        RopeScaling? Scaling(string json) => Load(Llama(config => config["rope_scaling"] = JsonNode.Parse(json))).LayerConfigs[0].Rotary!.Scaling;
    }

    [Fact]
    public void ADynamicBaseIsThatOfTheContextWhichNoSequenceExceeds()
    {
        ModelConfig plain = Load(Llama(_ => { }));

        Assert.Equal(plain, Load(Llama(json => json["rope_scaling"] = new JsonObject { ["type"] = "dynamic", ["factor"] = 4 })));
    }

    [Fact]
    public void ASlidingWindowAppliesWhereTheArchitectureSaysSo()
    {
        Assert.Equal((9, 9, 9), Windows("MistralForCausalLM", json => json["sliding_window"] = 9));
        Assert.Equal((int.MaxValue, int.MaxValue, int.MaxValue), Windows("MistralForCausalLM", json => json["sliding_window"] = null));
        Assert.Equal((4_096, 4_096, 4_096), Windows("MistralForCausalLM", _ => { }));
        Assert.Equal((int.MaxValue, int.MaxValue, int.MaxValue), Windows("Qwen2ForCausalLM", json => json["sliding_window"] = 9));
        Assert.Equal((int.MaxValue, int.MaxValue, 9), Windows("Qwen2ForCausalLM", json =>
        {
            json["sliding_window"] = 9;
            json["use_sliding_window"] = true;
            json["max_window_layers"] = 2;
        }));
        Assert.Equal((int.MaxValue, 9, 9), Windows("Qwen2ForCausalLM", json =>
        {
            json["sliding_window"] = 9;
            json["use_sliding_window"] = true;
            json["layer_types"] = new JsonArray("full_attention", "sliding_attention", "sliding_attention");
        }));

        Assert.Equal((9, int.MaxValue, 9), Windows("Qwen2ForCausalLM", json =>
        {
            json["sliding_window"] = 9;
            json["use_sliding_window"] = true;
            json["layer_types"] = new JsonArray("sliding_attention", "full_attention", "sliding_attention");
        }));

        (int, int, int) Windows(string architecture, Action<JsonObject> edit)
        {
            ModelConfig config = Load(TestModel.Llama(layers: 3, architecture: architecture, edit: edit).Config.ToJsonString());
            return (config.WindowOf(0), config.WindowOf(1), config.WindowOf(2));
        }
    }

    [Theory]
    [InlineData("architectures", "[\"FalconForCausalLM\"]", "architectures: is FalconForCausalLM; supported are")]
    [InlineData("architectures", "[]", "architectures: must name one architecture.")]
    [InlineData("hidden_act", "\"quick_gelu\"", "hidden_act: is quick_gelu; supported: silu, gelu,")]
    [InlineData("num_hidden_layers", "0", "num_hidden_layers: is 0 but must be a whole number from 1")]
    [InlineData("num_hidden_layers", "2.5", "num_hidden_layers: is 2.5 but must be a whole number")]
    [InlineData("num_hidden_layers", "null", "num_hidden_layers: is required.")]
    [InlineData("num_attention_heads", "\"4\"", "num_attention_heads: is \"4\" but must be a whole number")]
    [InlineData("num_key_value_heads", "3", "num_key_value_heads: is 3 but must divide the number of heads, 4.")]
    [InlineData("head_dim", "15", "head_dim: is 15 but must be even")]
    [InlineData("head_dim", "null", "hidden_size: is 50 but must be a multiple of num_attention_heads, 4", 50)]
    [InlineData("rms_norm_eps", "0", "rms_norm_eps: is 0 but must be a number above 0.")]
    [InlineData("rope_theta", "-1", "rope_theta: is -1 but must be a number above 0.")]
    [InlineData("tie_word_embeddings", "1", "tie_word_embeddings: is 1 but must be true or false.")]
    [InlineData("partial_rotary_factor", "0.5", "partial_rotary_factor: must be 1")]
    [InlineData("rope_scaling", "{\"factor\":4}", "rope_scaling.rope_type: is required.")]
    [InlineData("rope_scaling", "{\"type\":\"linear\"}", "rope_scaling.factor: is required.")]
    [InlineData("rope_scaling", "{\"rope_type\":\"llama3\",\"factor\":8,\"low_freq_factor\":4,\"high_freq_factor\":4,\"original_max_position_embeddings\":64}", "rope_scaling.high_freq_factor: is 4 but must be above low_freq_factor, 4.")]
    [InlineData("rope_scaling", "7", "rope_scaling: must be a JSON object.")]
    [InlineData("quantization_config", "{\"bits\":4}", "quantization_config: is not supported.")]
    [InlineData("rope_scaling", "{\"rope_type\":\"xpos\",\"factor\":4}", "rope_scaling.rope_type: is xpos; supported are default, linear, dynamic, llama3, yarn and longrope.")]
    [InlineData("rope_scaling", "{\"rope_type\":\"linear\",\"type\":\"yarn\",\"factor\":4}", "rope_scaling.type: is yarn but rope_type is linear.")]
    [InlineData("rope_scaling", "{\"rope_type\":\"linear\",\"factor\":4,\"alpha\":2}", "rope_scaling.alpha: is not known of linear rotary positions")]
    [InlineData("rope_scaling", "{\"rope_type\":\"dynamic\"}", "rope_scaling.factor: is required.")]
    [InlineData("rope_scaling", "{\"rope_type\":\"yarn\"}", "rope_scaling.factor: is required.")]
    [InlineData("rope_scaling", "{\"rope_type\":\"yarn\",\"factor\":4,\"beta_fast\":1}", "rope_scaling.beta_fast: is 1 but must be above beta_slow, 1.")]
    [InlineData("rope_scaling", "{\"rope_type\":\"longrope\",\"short_factor\":[1]}", "rope_scaling.short_factor: has 1 entries but must have one for each pair that turns, 8.")]
    [InlineData("rope_parameters", "{\"full_attention\":{\"rope_theta\":1e6}}", "rope_parameters.full_attention: is not known of default rotary positions")]
    [InlineData("sliding_window", "9", "sliding_window: is not known of LlamaForCausalLM, and could change what the model computes.")]
    [InlineData("unheard_of", "1", "unheard_of: is not known of LlamaForCausalLM")]
    [InlineData("auto_map", "{\"AutoConfig\":\"x\"}", "auto_map: is not supported: the model brings code of its own.")]
    public void WhatTheEngineDoesNotComputeIsRefusedWithItsProperty(string name, string value, string message, int hidden = 48)
    {
        string json = Llama(config =>
        {
            config["hidden_size"] = hidden;
            config[name] = JsonNode.Parse(value);
        });

        ModelFormatException error = Assert.Throws<ModelFormatException>(() => Load(json));

        Assert.Equal(_folder.Sub("config.json"), error.Path);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("activation_function", "\"tanh\"", "activation_function: is tanh; supported: silu, gelu,")]
    [InlineData("scale_attn_weights", "false", "scale_attn_weights: must be true.")]
    [InlineData("scale_attn_by_inverse_layer_idx", "true", "scale_attn_by_inverse_layer_idx: must be false.")]
    [InlineData("n_head", "5", "n_embd: is 48 but must be a multiple of n_head, 5.")]
    public void AGpt2ThatIsNotComputedIsRefused(string name, string value, string message)
    {
        string json = TestModel.Gpt2(edit: config => config[name] = JsonNode.Parse(value)).Config.ToJsonString();

        Assert.Contains(message, Assert.Throws<ModelFormatException>(() => Load(json)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sliding_window", "0", "sliding_window: is 0 but must be a whole number from 1")]
    [InlineData("layer_types", "[\"full_attention\"]", "layer_types: has 1 entries but must have num_hidden_layers, 2.")]
    [InlineData("layer_types", "[\"full_attention\",\"chunked_attention\"]", "layer_types: has chunked_attention at 1; supported are")]
    [InlineData("layer_types", "[\"full_attention\",\"sliding_attention\"]", "sliding_window: is required by layer_types.")]
    [InlineData("num_key_value_heads", null, "num_key_value_heads: is required.")]
    public void AQwen2ThatIsNotComputedIsRefused(string name, string? value, string message)
    {
        string json = TestModel.Llama(architecture: "Qwen2ForCausalLM", edit: config =>
        {
            config.Remove(name);
            if (value is not null)
                config[name] = JsonNode.Parse(value);
        }).Config.ToJsonString();

        Assert.Contains(message, Assert.Throws<ModelFormatException>(() => Load(json)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "is not JSON")]
    [InlineData("[]", "must be a JSON object.")]
    [InlineData("{}", "architectures: is required.")]
    [InlineData("{\"model_type\":\"bert\"}", "model_type: is bert, which is not supported.")]
    public void AFileThatIsNoConfigurationIsRefused(string text, string message) =>
        Assert.Contains(message, Assert.Throws<ModelFormatException>(() => Load(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void AMissingFileIsNamed() =>
        Assert.Contains("config.json: cannot be read.", Assert.Throws<ModelFormatException>(() => ModelConfig.Load(_folder.Path)).Message, StringComparison.Ordinal);

    public void Dispose() => _folder.Dispose();

    private static string Llama(Action<JsonObject> edit) => TestModel.Llama(edit: edit).Config.ToJsonString();

    private ModelConfig Load(string json)
    {
        File.WriteAllText(_folder.Sub("config.json"), json);
        return ModelConfig.Load(_folder.Path);
    }
}
