using System.Text;

namespace KvTiers.Inference.Tools;

/// <summary>Cuts an answer into text and calls as it comes, in pieces of any length.</summary>
/// <remarks>
/// A call is reported once its function's name and the beginning of its arguments have been read, and its arguments are then passed on as they come. What
/// turns out before that to be no call of a function that there is stays text, its marks included. What breaks after that is passed on as arguments, as it
/// was written. White space beside calls is nobody's text. Used by one owner at a time.
/// </remarks>
/// <param name="format">How the model writes calls.</param>
/// <param name="allows">Whether there is a function of a name.</param>
/// <param name="maxCalls">What follows so many calls is text.</param>
public sealed class ToolCallParser(ToolFormat format, Func<string, bool> allows, int maxCalls = int.MaxValue)
{
    private readonly string? _opening = ToolFormats.OpeningOf(format);
    private readonly string? _closing = ToolFormats.ClosingOf(format);
    private readonly List<AnswerPart> _parts = [];
    private readonly StringBuilder _run = new();
    private readonly StringBuilder _space = new();
    private readonly StringBuilder _attempt = new();
    private AnswerPartKind _runKind;
    private State _state;
    private string _held = "";
    private CallScanner? _call;
    private bool _hasText;
    private bool _followsCall;
    private bool _isReported;
    private bool _isInArray;

    private enum State
    {
        Text,
        Opened,
        InCall,
        BrokenCall,
        AfterCall,
    }

    /// <summary>Calls reported.</summary>
    public int Calls { get; private set; }

    private bool MayCall => Calls < maxCalls;

    /// <summary>Takes the next piece of the answer.</summary>
    /// <returns>What is certain now, in order.</returns>
    public IReadOnlyList<AnswerPart> Append(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        _parts.Clear();
        foreach (char c in text)
            Take(c);
        FlushRun();
        return [.. _parts];
    }

    /// <summary>Takes the format's opening mark, where it is a token that has no text.</summary>
    /// <returns>What is certain now.</returns>
    public IReadOnlyList<AnswerPart> Open()
    {
        _parts.Clear();
        if (MayCall)
        {
            EndWhatIsOpen();
            Begin("");
        }

        FlushRun();
        return [.. _parts];
    }

    /// <summary>The answer is complete.</summary>
    /// <returns>What was held back.</returns>
    public IReadOnlyList<AnswerPart> Complete()
    {
        _parts.Clear();
        EndWhatIsOpen();
        if (!_followsCall)
            Emit(AnswerPartKind.Text, _space.ToString());
        _space.Clear();
        FlushRun();
        return [.. _parts];
    }

    private void EndWhatIsOpen()
    {
        // Each round gives up one beginning, and reads what follows it again.
        while (_state is State.Opened || (_state is State.InCall && !_isReported))
            GiveUp();
        string held = Release();
        if (_state is State.BrokenCall)
            Emit(AnswerPartKind.Arguments, held);
        else if (_state is State.Text)
            Say(held);
        _state = State.Text;
    }

    private void Take(char c)
    {
        switch (_state)
        {
            case State.Text when MayCall && _opening is not null:
                Match(_opening, c, Say, () => Begin(_opening));
                break;
            case State.Text:
                Say(c.ToString());
                break;
            case State.Opened:
                TakeOpened(c);
                break;
            case State.InCall:
                TakeInCall(c);
                break;
            case State.BrokenCall when _closing is not null:
                Match(_closing, c, text => Emit(AnswerPartKind.Arguments, text), EndCall);
                break;
            case State.BrokenCall:
                Emit(AnswerPartKind.Arguments, c.ToString());
                break;
            default:
                TakeAfterCall(c);
                break;
        }
    }

    // Text for the reader, unless the answer begins with what may be a bare call.
    private void Say(string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (char.IsWhiteSpace(c))
            {
                _space.Append(c);
                continue;
            }

            if (c is '{' or '[' && ToolFormats.BeginsBare(format) && !_hasText && Calls == 0 && MayCall)
            {
                Begin("");
                foreach (char rest in text[i..])
                    Take(rest);
                return;
            }

            SayPlainly(c);
        }
    }

    private void SayPlainly(char c)
    {
        if (!_followsCall)
            Emit(AnswerPartKind.Text, _space.ToString());
        _space.Clear();
        _hasText = true;
        _followsCall = false;
        Emit(AnswerPartKind.Text, c.ToString());
    }

    private void Begin(string mark)
    {
        _attempt.Clear().Append(mark);
        _isInArray = false;
        _state = State.Opened;
    }

    private void TakeOpened(char c)
    {
        _attempt.Append(c);
        if (char.IsWhiteSpace(c))
            return;
        if (c == '[' && !_isInArray && ToolFormats.HasArrays(format))
        {
            _isInArray = true;
            return;
        }

        if (c != '{')
        {
            GiveUp();
            return;
        }

        _call = new CallScanner(allows, isMarked: !ToolFormats.BeginsBare(format));
        _call.Push(c);
        _isReported = false;
        _state = State.InCall;
    }

    private void TakeInCall(char c)
    {
        _attempt.Append(c);
        CallStatus status = _call!.Push(c);
        if (status == CallStatus.Broken && !_isReported)
        {
            GiveUp();
            return;
        }

        if (status == CallStatus.Broken)
        {
            // What follows whole arguments is no part of them.
            if (_call.HasAllArguments)
                EndCall();
            else
                _state = State.BrokenCall;
            Take(c);
            return;
        }

        if (_call.IsCall && !_isReported)
            Report();
        if (_isReported)
            Emit(AnswerPartKind.Arguments, _call.TakeArguments());
        if (status == CallStatus.Complete)
            EndCall();
    }

    private void Report()
    {
        _isReported = true;
        _space.Clear();
        _attempt.Clear();
        FlushRun();
        Calls++;
        _parts.Add(new(AnswerPartKind.Call, Calls - 1, _call!.Name!));
    }

    private void EndCall()
    {
        bool isClosed = _state is State.BrokenCall;
        _attempt.Clear();
        _held = "";
        _followsCall = true;
        _hasText = true;
        _state = isClosed ? State.Text : State.AfterCall;
    }

    // After a call's object: its closing mark, the end of the array, or what stands between two calls.
    private void TakeAfterCall(char c)
    {
        if (_closing is not null)
        {
            if (_held.Length == 0 && char.IsWhiteSpace(c))
                return;
            _held += c;
            if (_held == _closing)
                SayAfterCall(Release()[_closing.Length..]);
            else if (!_closing.StartsWith(_held, StringComparison.Ordinal))
                SayAfterCall(Release());
            return;
        }

        _attempt.Append(c);
        bool isBetween = char.IsWhiteSpace(c) || c == ',' || (c == ';' && !_isInArray);
        if (isBetween && (_isInArray || ToolFormats.BeginsBare(format)))
            return;
        if (c == ']' && _isInArray)
        {
            _attempt.Clear();
            _state = State.Text;
        }
        else if (c == '{' && MayCall && (_isInArray || ToolFormats.BeginsBare(format)))
        {
            _attempt.Length--;
            TakeOpened(c);
        }
        else
        {
            string text = _attempt.ToString();
            _attempt.Clear();
            SayAfterCall(text);
        }
    }

    private void SayAfterCall(string text)
    {
        _state = State.Text;
        foreach (char c in text)
            Take(c);
    }

    // It was no call: its first character is text, and the rest is read again.
    private void GiveUp()
    {
        string text = _attempt.ToString();
        _attempt.Clear();
        _state = State.Text;
        if (text.Length == 0)
            return;
        int first = _opening is not null && text.StartsWith(_opening, StringComparison.Ordinal) ? _opening.Length : 1;
        foreach (char c in text[..first])
        {
            if (char.IsWhiteSpace(c))
                _space.Append(c);
            else
                SayPlainly(c);
        }

        foreach (char c in text[first..])
            Take(c);
    }

    // Holds back what may become the mark.
    private void Match(string mark, char c, Action<string> pass, Action found)
    {
        if (_held.Length == 0 && c != mark[0])
        {
            pass(c.ToString());
            return;
        }

        _held += c;
        if (_held == mark)
        {
            _held = "";
            found();
            return;
        }

        int keep = _held.Length;
        while (keep > 0 && !mark.StartsWith(_held[^keep..], StringComparison.Ordinal))
            keep--;
        string passed = _held[..^keep];
        _held = _held[^keep..];
        if (passed.Length > 0)
            pass(passed);
    }

    private string Release()
    {
        string held = _held;
        _held = "";
        return held;
    }

    private void Emit(AnswerPartKind kind, string text)
    {
        if (text.Length == 0)
            return;
        if (_runKind != kind)
            FlushRun();
        _runKind = kind;
        _run.Append(text);
    }

    private void FlushRun()
    {
        if (_run.Length > 0)
            _parts.Add(new(_runKind, _runKind == AnswerPartKind.Text ? 0 : Calls - 1, _run.ToString()));
        _run.Clear();
    }
}
