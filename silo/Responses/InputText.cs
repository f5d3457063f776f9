namespace KvTiers.Silo.Responses;

/// <summary>A text in an input.</summary>
/// <param name="Text">The text.</param>
internal sealed record InputText(string Text)
{
    /// <summary>Always <c>input_text</c>.</summary>
    public string Type => "input_text";
}
