using KvTiers.Conversations;
using KvTiers.Inference.Constraints.Automata;
using KvTiers.Inference.Constraints.Grammars;
using KvTiers.Inference.Constraints.Patterns;
using KvTiers.Inference.Constraints.Schemas;
using KvTiers.Inference.Tokens;

namespace KvTiers.Inference.Constraints;

/// <summary>What a generation may say, over the tokens of one tokenizer: at each place the tokens that can still lead to a complete answer, no more and no fewer.</summary>
/// <remarks>
/// A pushdown automaton over the bytes of the answer. It walks the tokens' bytes as a tree, so tokens may end inside a character or span parts of the
/// grammar. Special tokens are never allowed; the tokens that end the text are where the answer may end. States and their masks are kept, up to 8 MiB.
/// Thread-safe; any number of sequences use one.
/// </remarks>
public sealed class Constraint
{
    private readonly Lock _gate = new();
    private readonly AutomatonProgram _program;
    private readonly Automaton _automaton;
    private readonly TokenTrie _trie;
    private readonly Tokenizer _tokenizer;
    private readonly AutomatonState?[] _path;

    private Constraint(AutomatonProgram program, Tokenizer tokenizer)
    {
        _program = program;
        _tokenizer = tokenizer;
        _trie = TokenTrie.Of(tokenizer);
        _path = new AutomatonState?[_trie.MaxDepth + 1];
        _automaton = new Automaton(program);
        if (_automaton.Start.IsFinal)
            throw new ConstraintException("The constraint allows the empty answer only.");
        MaskOf(_automaton.Start);
    }

    /// <summary>Compiles a format. Bounded in time and memory, whatever the text.</summary>
    /// <param name="format">What the answer shall look like.</param>
    /// <param name="tokenizer">The tokenizer of the model that answers.</param>
    /// <exception cref="ConstraintException">The text is not well-formed, asks for what is not supported, allows nothing, or is too large; the message says what and where.</exception>
    public static Constraint Compile(AnswerFormat format, Tokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(format);
        ArgumentNullException.ThrowIfNull(tokenizer);
        if (format.Text.Length > ConstraintLimits.TextLength)
            throw new ConstraintException($"The constraint has {format.Text.Length} characters; it must have at most {ConstraintLimits.TextLength}.");
        var builder = new AutomatonBuilder();
        int root = format.Kind switch
        {
            AnswerFormatKind.JsonObject => new SchemaCompiler(builder).AddAnyObject(),
            AnswerFormatKind.JsonSchema => new SchemaCompiler(builder).Add(format.Text),
            AnswerFormatKind.Regex => PatternCompiler.Add(builder, format.Text),
            AnswerFormatKind.Choice => ChoiceList.Add(builder, format.Text),
            AnswerFormatKind.Grammar => GrammarCompiler.Add(builder, format.Text),
            _ => throw new ConstraintException($"Kind is {(int)format.Kind}; it must be a defined kind of format."),
        };
        return new Constraint(AutomatonProgram.Build(builder, root, tokenizer.MissingBytes), tokenizer);
    }

    /// <summary>Before the first token.</summary>
    internal AutomatonState Start
    {
        get
        {
            lock (_gate)
                return _automaton.Start;
        }
    }

    /// <summary>About what it takes.</summary>
    internal long Bytes
    {
        get
        {
            lock (_gate)
                return _program.Bytes + _automaton.Bytes;
        }
    }

    /// <summary>True for the tokenizer that it was made for.</summary>
    internal bool IsFor(Tokenizer tokenizer) => ReferenceEquals(tokenizer, _tokenizer);

    /// <summary>The tokens that may follow.</summary>
    /// <exception cref="ConstraintException">The readings of the text are too many.</exception>
    internal TokenMask MaskOf(AutomatonState state)
    {
        lock (_gate)
            return state.Mask ?? MakeMask(state);
    }

    /// <summary>The state after a token.</summary>
    /// <exception cref="ArgumentException">The token is not allowed.</exception>
    /// <exception cref="ConstraintException">The readings of the text are too many.</exception>
    internal AutomatonState Advance(AutomatonState state, int token)
    {
        lock (_gate)
        {
            _automaton.Steps = 0;
            AutomatonState? next = _automaton.Current(state);
            foreach (byte value in _tokenizer.TokenBytes(token))
            {
                next = _automaton.Step(next, value);
                if (next is null)
                    throw new ArgumentException($"Token {token} is not allowed here.", nameof(token));
            }

            return next;
        }
    }

    private TokenMask MakeMask(AutomatonState state)
    {
        _automaton.Steps = 0;
        var allowed = new ulong[(_trie.VocabularySize + 63) / 64];
        _path[0] = _automaton.Current(state);
        for (int node = 0; node < _trie.Count;)
        {
            int depth = _trie.DepthOf(node);
            AutomatonState? next = _automaton.Step(_path[depth]!, _trie.ByteOf(node));
            if (next is null)
            {
                node = _trie.EndOf(node);
                continue;
            }

            _path[depth + 1] = next;
            foreach (int token in _trie.TokensOf(node))
                allowed[token / 64] |= 1UL << (token % 64);
            node++;
        }

        Array.Clear(_path);
        TokenMask mask = new(allowed, state.Accepts ? WithEnds(allowed) : allowed);
        state.Mask = mask;
        _automaton.Keep(mask.Bytes);
        return mask;
    }

    private ulong[] WithEnds(ulong[] allowed)
    {
        var withEnds = (ulong[])allowed.Clone();
        foreach (int token in _trie.EndOfText.Where(token => token < _trie.VocabularySize))
            withEnds[token / 64] |= 1UL << (token % 64);
        return withEnds;
    }
}
