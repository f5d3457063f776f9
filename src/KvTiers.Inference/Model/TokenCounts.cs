using System.Runtime.InteropServices;

namespace KvTiers.Inference.Model;

/// <summary>Counts a sequence's tokens for the penalties: which stand in its prompt, and how often each came out.</summary>
public sealed class TokenCounts
{
    private readonly Dictionary<int, int> _outputs;

    /// <summary>The counts of a prompt with no output yet.</summary>
    public TokenCounts(ReadOnlySpan<int> prompt)
    {
        _outputs = new Dictionary<int, int>(prompt.Length);
        foreach (int id in prompt)
            _outputs.TryAdd(id, 0);
    }

    /// <summary>Each distinct token with the number of times it is in the output; 0 = in the prompt only. In no particular order.</summary>
    internal Dictionary<int, int> Outputs => _outputs;

    /// <summary>Counts one token of output.</summary>
    public void AddOutput(int id) => CollectionsMarshal.GetValueRefOrAddDefault(_outputs, id, out _)++;
}
