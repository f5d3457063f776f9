using System.Diagnostics;
using KvTiers.TorchSharp.Models;
using static TorchSharp.torch;

namespace KvTiers.Samples.TorchGenerate;

/// <summary>The loop: a prompt, then one token at a time.</summary>
public static class Generation
{
    /// <summary>Continues a prompt.</summary>
    /// <param name="model">The model.</param>
    /// <param name="prompt">Token ids.</param>
    /// <param name="past">
    /// Keys and values of the prompt's first tokens, as many as it holds: the rest of the prompt is computed in one step, then each new token alone. Null computes
    /// the whole sequence again for each token.
    /// </param>
    /// <param name="options">How.</param>
    /// <param name="step">Is told the tokens of each step before it is computed; null for nobody.</param>
    public static GenerateResult Generate(TorchModel model, ReadOnlySpan<int> prompt, Past? past, GenerateOptions options, Action<int>? step = null)
    {
        using Generator draws = new((ulong)options.Seed);
        List<int> sequence = [.. prompt];
        int computed = 0;
        List<TimeSpan> steps = [];
        var watch = Stopwatch.StartNew();
        for (int i = 0; i < options.NewTokens; i++)
        {
            TimeSpan start = watch.Elapsed;
            int[] input = past is null ? [.. sequence] : [.. sequence[past.Length..]];
            step?.Invoke(input.Length);
            using Tensor logits = model.Forward(input, past); // [1, 1, vocabulary]
            computed += input.Length;
            sequence.Add(Choose(logits, options, draws));
            steps.Add(watch.Elapsed - start);
        }

        TimeSpan[] later = [.. steps.Skip(1).Order()];
        return new GenerateResult([.. sequence[prompt.Length..]], computed, steps[0], later.ElementAtOrDefault(later.Length / 2), watch.Elapsed);
    }

    private static int Choose(Tensor logits, GenerateOptions options, Generator draws)
    {
        using Tensor row = logits.reshape(-1);
        if (options.TopK is not { } most)
        {
            using Tensor likeliest = row.argmax();
            return (int)likeliest.item<long>();
        }

        (Tensor values, Tensor indices) = row.topk(most);
        using (values)
        using (indices)
        using (Tensor shares = values.softmax(0))
        using (Tensor drawn = multinomial(shares, 1, generator: draws))
        using (Tensor chosen = indices.index_select(0, drawn))
            return (int)chosen.item<long>();
    }
}
