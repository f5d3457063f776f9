using System.Text;
using System.Text.Json;

namespace KvTiers.Inference.Tools;

/// <summary>Reads the JSON object of one call, character by character: the function's name, and its arguments as they come.</summary>
/// <param name="allows">Whether there is a function of a name.</param>
/// <param name="isMarked">True: a mark says that it is a call. False: only an object that has what a call has, and nothing else, is one.</param>
internal sealed class CallScanner(Func<string, bool> allows, bool isMarked)
{
    private readonly JsonScanner _json = new();
    private readonly StringBuilder _text = new();
    private int _start;
    private string _key = "";
    private int _argumentsStart = -1;
    private int _argumentsEnd = -1;
    private int _argumentsTaken;
    private string? _wholeArguments;

    /// <summary>The function's name; null = it has not come yet.</summary>
    public string? Name { get; private set; }

    /// <summary>True once it is a call of a function that there is, whatever follows.</summary>
    public bool IsCall => Name is not null && (_argumentsStart >= 0 || _wholeArguments is not null);

    /// <summary>True once its arguments are complete.</summary>
    public bool HasAllArguments => _argumentsEnd >= 0 || _wholeArguments is not null;

    /// <summary>Takes the next character.</summary>
    public CallStatus Push(char c)
    {
        int depth = _json.Depth;
        if (depth == 0 && _text.Length > 0)
            return CallStatus.Broken;
        JsonStep step = _json.Push(c);
        if (step.HasFlag(JsonStep.Invalid) || (depth == 0 && c != '{'))
            return CallStatus.Broken;
        bool holds = true;
        if (step.HasFlag(JsonStep.NumberEnd) && depth == 1)
            holds = EndValue();
        if ((step & (JsonStep.KeyStart | JsonStep.ValueStart)) != 0 && depth == 1)
            _start = _text.Length;
        if (step.HasFlag(JsonStep.ValueStart) && depth == 1)
            holds &= BeginValue(c);
        _text.Append(c);
        if (step.HasFlag(JsonStep.KeyEnd) && depth == 1)
            holds &= EndKey();
        if (step.HasFlag(JsonStep.ValueEnd) && _json.Depth == 1)
            holds &= EndValue();
        if (!holds)
            return CallStatus.Broken;
        return _json.Depth > 0 ? CallStatus.Open : Close();
    }

    /// <summary>What has come of the arguments since they were last taken.</summary>
    public string TakeArguments()
    {
        if (_wholeArguments is { } whole)
        {
            string taken = whole[_argumentsTaken..];
            _argumentsTaken = whole.Length;
            return taken;
        }

        if (_argumentsStart < 0)
            return "";
        int end = _argumentsEnd < 0 ? _text.Length : _argumentsEnd;
        string piece = _text.ToString(_argumentsStart + _argumentsTaken, end - _argumentsStart - _argumentsTaken);
        _argumentsTaken += piece.Length;
        return piece;
    }

    private bool EndKey()
    {
        _key = Decode(_text.ToString(_start, _text.Length - _start));
        return isMarked || IsCall || _key is "name" or "arguments" or "parameters" or "id" or "type";
    }

    private bool BeginValue(char c)
    {
        switch (_key)
        {
            case "name":
                return IsCall || (Name is null && c == '"');
            case "arguments" or "parameters" when _argumentsStart < 0 && _wholeArguments is null:
                if (c == '{')
                    _argumentsStart = _text.Length;
                return c is '{' or '"' or 'n';
            default:
                return _key is not ("arguments" or "parameters") || IsCall;
        }
    }

    private bool EndValue()
    {
        switch (_key)
        {
            case "name" when Name is null:
                Name = Decode(_text.ToString(_start, _text.Length - _start));
                return allows(Name);
            case "arguments" or "parameters" when _start == _argumentsStart:
                _argumentsEnd = _text.Length;
                return true;
            case "arguments" or "parameters" when _argumentsStart < 0 && _wholeArguments is null:
                _wholeArguments = Unwrap(_text.ToString(_start, _text.Length - _start));
                return _wholeArguments is not null;
            default:
                return true;
        }
    }

    private CallStatus Close()
    {
        if (isMarked && Name is not null && _argumentsStart < 0)
            _wholeArguments ??= "{}";
        return IsCall ? CallStatus.Complete : CallStatus.Broken;
    }

    // Some models write the arguments as a string that holds the object, or null for none.
    private static string? Unwrap(string value)
    {
        if (value == "null")
            return "{}";
        string inner = Decode(value).Trim();
        if (inner.Length == 0)
            return "{}";
        try
        {
            using JsonDocument document = WholeJson.Parse(inner);
            return document.RootElement.ValueKind == JsonValueKind.Object ? inner : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string Decode(string quoted)
    {
        if (!quoted.Contains('\\'))
            return quoted[1..^1];
        try
        {
            return JsonSerializer.Deserialize<string>(quoted) ?? "";
        }
        catch (JsonException)
        {
            // Half of a surrogate pair: the name of no function.
            return "";
        }
    }
}
