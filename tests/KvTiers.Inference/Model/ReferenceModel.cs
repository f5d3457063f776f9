using KvTiers.Inference.Model;

namespace KvTiers.Inference.Tests.Model;

/// <summary>The same models in double precision, token by token, without cache, vectors, packing or threads.</summary>
internal sealed class ReferenceModel(TestModel model, ModelConfig config)
{
    private readonly string _prefix = model.Tensors.ContainsKey("transformer.wte.weight") ? "transformer." : "";

    /// <summary>The logits after every token: [tokens][vocabulary].</summary>
    public double[][] Logits(int[] tokens)
    {
        string output = config.LearnedPositions ? _prefix + "wte" : config.TiedEmbeddings ? "model.embed_tokens" : "lm_head";
        return [.. Hidden(tokens).Select(row => Linear(row, output))];
    }

    /// <summary>The states after the last norm: [tokens][hidden].</summary>
    public double[][] Hidden(int[] tokens) =>
        config.LearnedPositions ? Gpt2(tokens) : Llama(tokens);

    private double[][] Llama(int[] tokens)
    {
        double[][] x = [.. tokens.Select(token => Row("model.embed_tokens.weight", token))];
        for (int layer = 0; layer < config.Layers; layer++)
        {
            string prefix = $"model.layers.{layer}.";
            double[][] normed = [.. x.Select(row => RmsNorm(row, prefix + "input_layernorm.weight"))];
            double[][] q = [.. normed.Select((row, position) => Rope(Linear(row, prefix + "self_attn.q_proj"), position))];
            double[][] k = [.. normed.Select((row, position) => Rope(Linear(row, prefix + "self_attn.k_proj"), position))];
            double[][] v = [.. normed.Select(row => Linear(row, prefix + "self_attn.v_proj"))];
            double[][] attended = Attend(q, k, v, config.WindowOf(layer));
            for (int i = 0; i < x.Length; i++)
            {
                x[i] = Sum(x[i], Linear(attended[i], prefix + "self_attn.o_proj"));
                double[] inner = RmsNorm(x[i], prefix + "post_attention_layernorm.weight");
                double[] gate = Linear(inner, prefix + "mlp.gate_proj"), up = Linear(inner, prefix + "mlp.up_proj");
                double[] product = [.. gate.Zip(up, (g, u) => g / (1 + Math.Exp(-g)) * u)];
                x[i] = Sum(x[i], Linear(product, prefix + "mlp.down_proj"));
            }
        }
        return [.. x.Select(row => RmsNorm(row, "model.norm.weight"))];
    }

    private double[][] Gpt2(int[] tokens)
    {
        double[][] x = [.. tokens.Select((token, position) => Sum(Row(_prefix + "wte.weight", token), Row(_prefix + "wpe.weight", position)))];
        for (int layer = 0; layer < config.Layers; layer++)
        {
            string prefix = $"{_prefix}h.{layer}.";
            double[][] qkv = [.. x.Select(row => Convolution(LayerNorm(row, prefix + "ln_1"), prefix + "attn.c_attn"))];
            int width = config.Hidden;
            double[][] attended = Attend(
                [.. qkv.Select(row => row[..width])], [.. qkv.Select(row => row[width..(2 * width)])], [.. qkv.Select(row => row[(2 * width)..])], int.MaxValue);
            for (int i = 0; i < x.Length; i++)
            {
                x[i] = Sum(x[i], Convolution(attended[i], prefix + "attn.c_proj"));
                double[] inner = [.. Convolution(LayerNorm(x[i], prefix + "ln_2"), prefix + "mlp.c_fc").Select(Gelu)];
                x[i] = Sum(x[i], Convolution(inner, prefix + "mlp.c_proj"));
            }
        }
        return [.. x.Select(row => LayerNorm(row, _prefix + "ln_f"))];
    }

    private double[][] Attend(double[][] q, double[][] k, double[][] v, int window)
    {
        int group = config.Heads / config.KvHeads, dim = config.HeadDim;
        double[][] output = [.. q.Select(row => new double[row.Length])];
        for (int position = 0; position < q.Length; position++)
        {
            int first = (int)Math.Max(0, (long)position - window + 1);
            for (int head = 0; head < config.Heads; head++)
            {
                int own = head * dim, other = head / group * dim;
                double[] scores = new double[position + 1 - first];
                for (int t = 0; t < scores.Length; t++)
                {
                    for (int d = 0; d < dim; d++)
                        scores[t] += q[position][own + d] * k[first + t][other + d];
                    scores[t] /= Math.Sqrt(dim);
                }
                double most = scores.Max(), total = scores.Sum(score => Math.Exp(score - most));
                for (int t = 0; t < scores.Length; t++)
                {
                    for (int d = 0; d < dim; d++)
                        output[position][own + d] += Math.Exp(scores[t] - most) / total * v[first + t][other + d];
                }
            }
        }
        return output;
    }

    private double[] Rope(double[] row, int position)
    {
        int half = config.HeadDim / 2;
        for (int head = 0; head < row.Length / config.HeadDim; head++)
        {
            for (int i = 0; i < half; i++)
            {
                (double sine, double cosine) = Math.SinCos(position * Frequency(i));
                int a = head * config.HeadDim + i, b = a + half;
                (row[a], row[b]) = (row[a] * cosine - row[b] * sine, row[b] * cosine + row[a] * sine);
            }
        }
        return row;
    }

    private double Frequency(int i)
    {
        RotaryConfig rotary = config.LayerConfigs[0].Rotary!;
        double frequency = Math.Pow(rotary.Theta, -2.0 * i / rotary.Dim);
        if (rotary.Scaling is RopeScaling.Linear linear)
            return frequency / linear.Factor;
        if (rotary.Scaling is not RopeScaling.Llama3 llama3)
            return frequency;
        double turns = llama3.OriginalContextLength * frequency / (2 * Math.PI);
        double blend = Math.Clamp((turns - llama3.LowFrequencyFactor) / (llama3.HighFrequencyFactor - llama3.LowFrequencyFactor), 0, 1);
        return frequency * (blend + (1 - blend) / llama3.Factor);
    }

    private double[] RmsNorm(double[] row, string name)
    {
        double scale = 1 / Math.Sqrt(row.Average(value => value * value) + config.NormEpsilon);
        return [.. row.Zip(model.Tensors[name].Values, (value, weight) => value * scale * weight)];
    }

    private double[] LayerNorm(double[] row, string name)
    {
        double mean = row.Average(), scale = 1 / Math.Sqrt(row.Average(value => (value - mean) * (value - mean)) + config.NormEpsilon);
        float[] weight = model.Tensors[name + ".weight"].Values, bias = model.Tensors[name + ".bias"].Values;
        return [.. row.Select((value, i) => (value - mean) * scale * weight[i] + bias[i])];
    }

    private double[] Linear(double[] row, string name)
    {
        (int[] shape, float[] weights) = model.Tensors[name + ".weight"];
        double[] output = new double[shape[0]];
        for (int n = 0; n < output.Length; n++)
        {
            for (int k = 0; k < row.Length; k++)
                output[n] += row[k] * weights[n * row.Length + k];
        }
        return model.Tensors.TryGetValue(name + ".bias", out (int[] Shape, float[] Values) bias) ? Sum(output, [.. bias.Values]) : output;
    }

    private double[] Convolution(double[] row, string name)
    {
        (int[] shape, float[] weights) = model.Tensors[name + ".weight"];
        double[] output = [.. model.Tensors[name + ".bias"].Values];
        for (int n = 0; n < output.Length; n++)
        {
            for (int k = 0; k < row.Length; k++)
                output[n] += row[k] * weights[k * shape[1] + n];
        }
        return output;
    }

    private double[] Row(string name, int row)
    {
        (int[] shape, float[] values) = model.Tensors[name];
        return [.. values.AsSpan(row * shape[1], shape[1]).ToArray()];
    }

    private static double Gelu(double x) => 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));

    private static double[] Sum(double[] left, double[] right) => [.. left.Zip(right, (a, b) => a + b)];
}
