using System.Text.Json;
using System.Text.Json.Nodes;

namespace KvTiers.MakeModel;

/// <summary>Writes a Hugging Face folder of random weights: config, safetensors, tokenizer, generation settings.</summary>
public static class RandomModel
{
    private const int ChunkValues = 1 << 18;
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>Writes the folder, which is created when needed. Memory use does not grow with the model.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The vocabulary has no room for all bytes and the special tokens.</exception>
    public static void Write(ModelShape shape, string folder, RandomModelOptions? options = null)
    {
        options ??= new RandomModelOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(shape.Vocabulary, PaddedTokenizer.SmallestVocabulary);
        Directory.CreateDirectory(folder);
        WriteJson(Path.Combine(folder, "config.json"), Config(shape, options.Type));
        WriteJson(Path.Combine(folder, "generation_config.json"), new JsonObject
        {
            ["bos_token_id"] = PaddedTokenizer.EndOfText,
            ["eos_token_id"] = new JsonArray(PaddedTokenizer.EndOfMessage, PaddedTokenizer.EndOfText),
        });
        PaddedTokenizer.Write(folder, shape.Vocabulary, shape.ContextLength);
        WriteWeights(shape, folder, options);
    }

    private static JsonObject Config(ModelShape shape, TensorType type)
    {
        JsonObject config = shape.Family == ModelFamily.Llama ? LlamaConfig(shape) : Gpt2Config(shape);
        config["bos_token_id"] = PaddedTokenizer.EndOfText;
        config["eos_token_id"] = PaddedTokenizer.EndOfMessage;
        config["tie_word_embeddings"] = shape.TiedEmbeddings;
        config["torch_dtype"] = type switch { TensorType.F32 => "float32", TensorType.F16 => "float16", _ => "bfloat16" };
        config["vocab_size"] = shape.Vocabulary;
        return config;
    }

    private static JsonObject LlamaConfig(ModelShape shape) => new()
    {
        ["architectures"] = new JsonArray("LlamaForCausalLM"),
        ["model_type"] = "llama",
        ["attention_bias"] = false,
        ["head_dim"] = shape.HeadDim,
        ["hidden_act"] = "silu",
        ["hidden_size"] = shape.Hidden,
        ["intermediate_size"] = shape.Intermediate,
        ["max_position_embeddings"] = shape.ContextLength,
        ["mlp_bias"] = false,
        ["num_attention_heads"] = shape.Heads,
        ["num_hidden_layers"] = shape.Layers,
        ["num_key_value_heads"] = shape.KvHeads,
        ["rms_norm_eps"] = 1e-5,
        ["rope_scaling"] = !shape.Llama3RopeScaling ? null : new JsonObject
        {
            ["factor"] = 32.0,
            ["high_freq_factor"] = 4.0,
            ["low_freq_factor"] = 1.0,
            ["original_max_position_embeddings"] = 8192,
            ["rope_type"] = "llama3",
        },
        ["rope_theta"] = shape.RopeTheta,
    };

    private static JsonObject Gpt2Config(ModelShape shape) => new()
    {
        ["architectures"] = new JsonArray("GPT2LMHeadModel"),
        ["model_type"] = "gpt2",
        ["activation_function"] = "gelu_new",
        ["layer_norm_epsilon"] = 1e-5,
        ["n_ctx"] = shape.ContextLength,
        ["n_embd"] = shape.Hidden,
        ["n_head"] = shape.Heads,
        ["n_inner"] = shape.Intermediate,
        ["n_layer"] = shape.Layers,
        ["n_positions"] = shape.ContextLength,
    };

    private static void WriteWeights(ModelShape shape, string folder, RandomModelOptions options)
    {
        List<List<RandomTensor>> shards = Shards(RandomWeights.Of(shape), options);
        if (shards.Count == 1)
        {
            WriteShard(Path.Combine(folder, "model.safetensors"), shards[0], options);
            return;
        }

        var places = new JsonObject();
        long bytes = 0;
        for (int i = 0; i < shards.Count; i++)
        {
            string file = $"model-{i + 1:D5}-of-{shards.Count:D5}.safetensors";
            WriteShard(Path.Combine(folder, file), shards[i], options);
            foreach (RandomTensor tensor in shards[i])
            {
                places[tensor.Info.Name] = file;
                bytes += BytesOf(tensor, options.Type);
            }
        }

        WriteJson(Path.Combine(folder, "model.safetensors.index.json"), new JsonObject
        {
            ["metadata"] = new JsonObject { ["total_size"] = bytes },
            ["weight_map"] = places,
        });
    }

    private static List<List<RandomTensor>> Shards(IReadOnlyList<RandomTensor> tensors, RandomModelOptions options)
    {
        List<List<RandomTensor>> shards = [[]];
        long bytes = 0;
        foreach (RandomTensor tensor in tensors)
        {
            long more = BytesOf(tensor, options.Type);
            if (bytes > 0 && bytes + more > (options.MaxShardBytes ?? long.MaxValue))
            {
                shards.Add([]);
                bytes = 0;
            }

            shards[^1].Add(tensor);
            bytes += more;
        }

        return shards;
    }

    private static void WriteShard(string path, List<RandomTensor> tensors, RandomModelOptions options)
    {
        using var writer = new SafetensorsWriter(path, tensors.ConvertAll(tensor => tensor.Info), options.Type);
        float[] values = new float[ChunkValues];
        foreach (RandomTensor tensor in tensors)
        {
            for (long first = 0; first < tensor.Info.Count; first += ChunkValues)
            {
                Span<float> chunk = values.AsSpan(0, (int)Math.Min(ChunkValues, tensor.Info.Count - first));
                tensor.Fill(options.Seed, first, chunk);
                writer.Write(chunk);
            }
        }

        writer.Complete();
    }

    private static long BytesOf(RandomTensor tensor, TensorType type) => tensor.Info.Count * SafetensorsWriter.BytesPerElement(type);

    private static void WriteJson(string path, JsonObject value) => File.WriteAllText(path, value.ToJsonString(Indented) + "\n");
}
