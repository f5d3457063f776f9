using System.Text.Json;
using KvTiers.Inference.Constraints.Automata;

namespace KvTiers.Inference.Constraints;

/// <summary>A list of texts, one of which is the whole answer.</summary>
internal static class ChoiceList
{
    /// <summary>Adds the rule of a list.</summary>
    /// <param name="builder">Receives the rule.</param>
    /// <param name="json">A JSON list of strings.</param>
    /// <exception cref="ConstraintException">It is no such list, or it is empty.</exception>
    public static int Add(AutomatonBuilder builder, string json)
    {
        string[]? choices;
        try
        {
            choices = JsonSerializer.Deserialize<string[]>(json);
        }
        catch (JsonException e)
        {
            throw new ConstraintException($"The choices are not a JSON list of strings: {e.Message}", e);
        }

        if (choices is null || choices.Length == 0 || choices.Contains(null))
            throw new ConstraintException("The choices must be a JSON list of at least one string, and none of them null.");
        int rule = builder.AddRule("choice");
        builder.Add(Expression.Choice([.. choices.Select(Expression.Literal)]), builder.Rules[rule].Start, builder.Rules[rule].End, Spelling.Plain);
        return rule;
    }
}
