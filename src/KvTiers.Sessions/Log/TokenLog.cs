using System.Collections.Immutable;

namespace KvTiers.Sessions.Log;

/// <summary>
/// Messages and the tokens they stand for, end to end. Immutable; logs that have messages in common share them, and the tokens are only strung
/// together when they are asked for. So keeping former logs is cheap.
/// </summary>
/// <remarks>A log holds what prompts are made of. Where the context was full, that is not all of the conversation: <see cref="Cut"/> has the rest.</remarks>
public sealed partial class TokenLog
{
    private readonly int[] _breakpoints;
    private int[]? _tokens;

    /// <summary>A log of these messages.</summary>
    /// <param name="messages">What prompts are made of.</param>
    /// <param name="cut">What they leave out; null = nothing.</param>
    public TokenLog(ImmutableArray<LoggedMessage> messages, LogCut? cut = null)
    {
        Messages = messages;
        Cut = cut;
        _breakpoints = new int[messages.Length];
        int end = 0;
        for (int i = 0; i < messages.Length; i++)
            _breakpoints[i] = end += messages[i].Tokens.Length;
        TokenCount = end;
    }

    /// <summary>No messages, no tokens.</summary>
    public static TokenLog Empty { get; } = new([]);

    /// <summary>The messages in order.</summary>
    public ImmutableArray<LoggedMessage> Messages { get; }

    /// <summary>What prompts leave out; null = nothing.</summary>
    public LogCut? Cut { get; }

    /// <summary>Tokens in the log.</summary>
    public int TokenCount { get; }

    /// <summary>The tokens of all messages, end to end.</summary>
    public ReadOnlyMemory<int> Tokens => _tokens ??= StringTogether();

    /// <summary>[messages] Where message k's tokens end. A prompt can be cut here without touching another message.</summary>
    public ReadOnlySpan<int> Breakpoints => _breakpoints;

    /// <summary>First token of the message at <paramref name="index"/>; for the number of messages, the end of the log.</summary>
    public int TokenStart(int index) => index == 0 ? 0 : _breakpoints[index - 1];

    /// <summary>This log with one more message.</summary>
    public TokenLog Add(LoggedMessage message) => new(Messages.Add(message), Cut);

    /// <summary>How many leading tokens this log has in common with <paramref name="tokens"/>.</summary>
    public int CommonPrefix(ReadOnlySpan<int> tokens) => Tokens.Span.CommonPrefixLength(tokens);

    /// <summary>How many leading tokens two logs have in common.</summary>
    public int CommonPrefix(TokenLog other) => CommonPrefix(other.Tokens.Span);

    /// <summary>Copies the tokens of all messages, end to end, without keeping them strung together.</summary>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is too short.</exception>
    public void CopyTo(Span<int> destination)
    {
        for (int i = 0; i < Messages.Length; i++)
            Messages[i].Tokens.CopyTo(destination[TokenStart(i)..]);
    }

    /// <summary>The same log without its tokens strung together, to be kept for long.</summary>
    public TokenLog Slim() => new(Messages, Cut);

    /// <summary>Whether both hold the same messages with the same tokens, and leave out the same.</summary>
    public bool SameAs(TokenLog other)
    {
        if (TokenCount != other.TokenCount || Messages.Length != other.Messages.Length || !LogCut.AreSame(Cut, other.Cut))
            return false;
        for (int i = 0; i < Messages.Length; i++)
        {
            if (!Messages[i].SameAs(other.Messages[i]))
                return false;
        }

        return true;
    }

    private int[] StringTogether()
    {
        int[] tokens = new int[TokenCount];
        CopyTo(tokens);
        return tokens;
    }
}
