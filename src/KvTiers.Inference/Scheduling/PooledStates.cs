namespace KvTiers.Inference.Scheduling;

/// <summary>Makes one vector of a prompt's hidden states, as they come from the steps.</summary>
internal sealed class PooledStates(EmbeddingPooling pooling)
{
    private double[] _sum = [];
    private int _count;

    /// <summary>Whether the states of all tokens are needed, and not just the last one's.</summary>
    public bool NeedsAll => pooling == EmbeddingPooling.Mean;

    /// <summary>Adds the state of the next token.</summary>
    /// <param name="state">[hidden].</param>
    public void Add(ReadOnlySpan<float> state)
    {
        if (_sum.Length == 0)
            _sum = new double[state.Length];
        for (int i = 0; i < state.Length; i++)
            _sum[i] += state[i];
        _count++;
    }

    /// <summary>The vector. [hidden].</summary>
    public float[] ToVector() => Array.ConvertAll(_sum, sum => (float)(sum / _count));
}
