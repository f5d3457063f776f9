using KvTiers.Conversations;
using KvTiers.Inference.Constraints.Automata;
using KvTiers.Inference.Tokens;

namespace KvTiers.Inference.Constraints;

/// <summary>Compiles each format once while it is in use: the least recently used go first, at 64 constraints or 64 MiB. Thread-safe.</summary>
public sealed class ConstraintCache
{
    private const int MaxCount = 64;
    private const long MaxBytes = 64 << 20;

    private readonly Lock _gate = new();
    private readonly Tokenizer _tokenizer;
    private readonly Dictionary<AnswerFormat, LinkedListNode<(AnswerFormat Format, Constraint Constraint)>> _known = [];
    private readonly LinkedList<(AnswerFormat Format, Constraint Constraint)> _byUse = [];

    /// <summary>An empty cache for one tokenizer.</summary>
    public ConstraintCache(Tokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        _tokenizer = tokenizer;
    }

    /// <summary>Constraints that are kept.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
                return _known.Count;
        }
    }

    /// <summary>The constraint of a format.</summary>
    /// <exception cref="ConstraintException">The format cannot be compiled; the message says why. It is tried again each time.</exception>
    public Constraint Get(AnswerFormat format)
    {
        ArgumentNullException.ThrowIfNull(format);
        lock (_gate)
        {
            if (_known.TryGetValue(format, out LinkedListNode<(AnswerFormat Format, Constraint Constraint)>? known))
            {
                _byUse.Remove(known);
                _byUse.AddFirst(known);
                return known.Value.Constraint;
            }
        }

        // Outside the lock: a large one does not hold up the others. Two callers of one format may both compile it.
        Constraint constraint = Constraint.Compile(format, _tokenizer);
        lock (_gate)
        {
            if (_known.TryGetValue(format, out LinkedListNode<(AnswerFormat Format, Constraint Constraint)>? other))
                return other.Value.Constraint;
            _known[format] = _byUse.AddFirst((format, constraint));
            Trim();
        }

        return constraint;
    }

    private void Trim()
    {
        long bytes = _byUse.Sum(entry => entry.Constraint.Bytes + (2L * entry.Format.Text.Length));
        while (_byUse.Count > 1 && (_byUse.Count > MaxCount || bytes > MaxBytes))
        {
            (AnswerFormat format, Constraint constraint) = _byUse.Last!.Value;
            bytes -= constraint.Bytes + (2L * format.Text.Length);
            _byUse.RemoveLast();
            _known.Remove(format);
        }
    }
}
