using KvTiers.Conversations;
using KvTiers.Inference.Constraints.Automata;
using KvTiers.Inference.Tools;

namespace KvTiers.Inference.Constraints;

/// <summary>Answers that must call functions, as constraints.</summary>
public static class ToolConstraint
{
    /// <summary>What an answer that must call may say.</summary>
    /// <remarks>The arguments of a function that is not strict, and whose schema is not supported, are any JSON object.</remarks>
    /// <param name="tools">The functions.</param>
    /// <param name="form">How calls are written.</param>
    /// <param name="cache">Compiles, and keeps what was compiled.</param>
    /// <exception cref="ConstraintException">The schema of a strict function is not supported, or all together are too large.</exception>
    public static Constraint Of(ToolUse tools, ToolFormat form, ConstraintCache cache)
    {
        ArgumentNullException.ThrowIfNull(tools);
        ArgumentNullException.ThrowIfNull(cache);
        try
        {
            return cache.Get(AnswerFormat.Grammar(ToolGrammar.Of(form, tools, _ => true)));
        }
        catch (ConstraintException) when (FaultsOf(tools, cache) is { Count: > 0 } faults)
        {
            if (tools.Definitions.FirstOrDefault(tool => tool.Strict && faults.ContainsKey(tool.Name)) is { } strict)
                throw new ConstraintException($"The parameters of the function '{strict.Name}' cannot be held to: {faults[strict.Name].Message}", faults[strict.Name]);
            return cache.Get(AnswerFormat.Grammar(ToolGrammar.Of(form, tools, tool => !faults.ContainsKey(tool.Name))));
        }
    }

    private static Dictionary<string, ConstraintException> FaultsOf(ToolUse tools, ConstraintCache cache)
    {
        var faults = new Dictionary<string, ConstraintException>();
        foreach (ToolDefinition tool in tools.Definitions.Where(tool => tool.Parameters is not null && tools.Allows(tool.Name)))
        {
            try
            {
                cache.Get(AnswerFormat.JsonSchema(tool.Parameters!));
            }
            catch (ConstraintException fault)
            {
                faults[tool.Name] = fault;
            }
        }

        return faults;
    }
}
