using System.Globalization;
using System.Text;

namespace KvTiers.Silo.Fields;

/// <summary>
/// Where in a body something stands: <c>messages[3].content</c>. It is written out only to be shown, as names may be long and stand before a million others.
/// </summary>
internal sealed class FieldPlace
{
    /// <summary>The body itself.</summary>
    public static readonly FieldPlace Body = new(null, "");

    private const int MostCharacters = 100;

    private readonly FieldPlace? _parent;
    private readonly string? _name;
    private readonly int _index;

    private FieldPlace(FieldPlace? parent, string? name, int index = 0)
    {
        _parent = parent;
        _name = name;
        _index = index;
    }

    /// <summary>A field of it.</summary>
    public FieldPlace Of(string name) => new(this, name);

    /// <summary>An entry of it.</summary>
    public FieldPlace Of(int index) => new(this, null, index);

    /// <summary>The path. Of a long name only the beginning is shown.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        Append(text);
        return text.ToString();
    }

    // No deeper than a body may be.
    private void Append(StringBuilder text)
    {
        if (_parent is null) return;
        _parent.Append(text);
        if (_name is null)
        {
            text.Append(CultureInfo.InvariantCulture, $"[{_index}]");
            return;
        }

        if (text.Length > 0) text.Append('.');
        if (_name.Length <= MostCharacters) text.Append(_name);
        else text.Append(_name.AsSpan(0, char.IsHighSurrogate(_name[MostCharacters - 1]) ? MostCharacters - 1 : MostCharacters)).Append('…');
    }
}
