using KvTiers.Conversations;
using KvTiers.Inference.Constraints;
using KvTiers.Inference.Constraints.Automata;
using KvTiers.Silo.Http;
using KvTiers.Silo.Models;

namespace KvTiers.Silo.Turns;

/// <summary>The form that an answer must have.</summary>
internal static class AnswerForm
{
    /// <summary>What holds an answer to its form; null = it may have any.</summary>
    /// <param name="format">The form.</param>
    /// <param name="param">The request's parameter that asks for it.</param>
    /// <param name="model">The model that answers.</param>
    /// <exception cref="ApiException">400: the form is not supported, or too large.</exception>
    public static Constraint? ConstraintFor(AnswerFormat? format, string param, LoadedModel model)
    {
        if (format is null) return null;
        try
        {
            return model.Engine.Constraints.Get(format);
        }
        catch (ConstraintException e)
        {
            throw ApiException.BadRequest(e.Message, param, null, e);
        }
    }
}
