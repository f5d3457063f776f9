namespace KvTiers.MakeModel;

/// <summary>Every tensor of a shape, named as Hugging Face names it, with a scale at which a random model behaves.</summary>
/// <remarks>
/// Matrices have deviation 1/√inputs, so that a normalised vector stays of unit size; embeddings 2/√hidden, so that logits have a deviation of about 2:
/// far from flat and far from certain. The layers outweigh the embedding, so that the next token depends on the whole context.
/// </remarks>
internal static class RandomWeights
{
    public static IReadOnlyList<RandomTensor> Of(ModelShape shape) => shape.Family == ModelFamily.Llama ? [.. Llama(shape)] : [.. Gpt2(shape)];

    private static IEnumerable<RandomTensor> Llama(ModelShape shape)
    {
        int queries = shape.Heads * shape.HeadDim;
        int keys = shape.KvHeads * shape.HeadDim;
        yield return Embedding("model.embed_tokens.weight", shape.Vocabulary, shape.Hidden);
        for (int layer = 0; layer < shape.Layers; layer++)
        {
            string prefix = $"model.layers.{layer}.";
            yield return Norm(prefix + "input_layernorm.weight", shape.Hidden);
            yield return Matrix(prefix + "self_attn.q_proj.weight", queries, shape.Hidden);
            yield return Matrix(prefix + "self_attn.k_proj.weight", keys, shape.Hidden);
            yield return Matrix(prefix + "self_attn.v_proj.weight", keys, shape.Hidden);
            yield return Matrix(prefix + "self_attn.o_proj.weight", shape.Hidden, queries);
            yield return Norm(prefix + "post_attention_layernorm.weight", shape.Hidden);
            yield return Matrix(prefix + "mlp.gate_proj.weight", shape.Intermediate, shape.Hidden);
            yield return Matrix(prefix + "mlp.up_proj.weight", shape.Intermediate, shape.Hidden);
            yield return Matrix(prefix + "mlp.down_proj.weight", shape.Hidden, shape.Intermediate);
        }

        yield return Norm("model.norm.weight", shape.Hidden);
        if (!shape.TiedEmbeddings)
            yield return Embedding("lm_head.weight", shape.Vocabulary, shape.Hidden);
    }

    // GPT-2 stores its matrices [inputs, outputs].
    private static IEnumerable<RandomTensor> Gpt2(ModelShape shape)
    {
        yield return Embedding("wte.weight", shape.Vocabulary, shape.Hidden);
        yield return Embedding("wpe.weight", shape.ContextLength, shape.Hidden);
        for (int layer = 0; layer < shape.Layers; layer++)
        {
            string prefix = $"h.{layer}.";
            yield return Norm(prefix + "ln_1.weight", shape.Hidden);
            yield return Bias(prefix + "ln_1.bias", shape.Hidden);
            yield return Transposed(prefix + "attn.c_attn.weight", shape.Hidden, 3 * shape.Hidden);
            yield return Bias(prefix + "attn.c_attn.bias", 3 * shape.Hidden);
            yield return Transposed(prefix + "attn.c_proj.weight", shape.Hidden, shape.Hidden);
            yield return Bias(prefix + "attn.c_proj.bias", shape.Hidden);
            yield return Norm(prefix + "ln_2.weight", shape.Hidden);
            yield return Bias(prefix + "ln_2.bias", shape.Hidden);
            yield return Transposed(prefix + "mlp.c_fc.weight", shape.Hidden, shape.Intermediate);
            yield return Bias(prefix + "mlp.c_fc.bias", shape.Intermediate);
            yield return Transposed(prefix + "mlp.c_proj.weight", shape.Intermediate, shape.Hidden);
            yield return Bias(prefix + "mlp.c_proj.bias", shape.Hidden);
        }

        yield return Norm("ln_f.weight", shape.Hidden);
        yield return Bias("ln_f.bias", shape.Hidden);
    }

    private static RandomTensor Embedding(string name, int rows, int hidden) => new(new TensorInfo(name, [rows, hidden]), 0, 2 / MathF.Sqrt(hidden));

    private static RandomTensor Matrix(string name, int outputs, int inputs) => new(new TensorInfo(name, [outputs, inputs]), 0, 1 / MathF.Sqrt(inputs));

    private static RandomTensor Transposed(string name, int inputs, int outputs) => new(new TensorInfo(name, [inputs, outputs]), 0, 1 / MathF.Sqrt(inputs));

    // Not exactly 1 and 0, so that a model that forgets them differs.
    private static RandomTensor Norm(string name, int count) => new(new TensorInfo(name, [count]), 1, 0.1f);

    private static RandomTensor Bias(string name, int count) => new(new TensorInfo(name, [count]), 0, 0.02f);
}
