namespace KvTiers.Bench.Serving;

/// <summary>Sizes of a run.</summary>
/// <param name="AnswerTokens">Tokens of each answer.</param>
/// <param name="Answers">Answers of a row at least; as many as there are conversations at one time, if that is more.</param>
internal sealed record ServingPlan(int AnswerTokens, int Answers)
{
    /// <summary>Conversations at one time, row by row.</summary>
    public static readonly int[] Levels = [1, 4, 16, 64];

    /// <summary>Prefixes that one row asks for, each once.</summary>
    public int AnswersOf(int level) => Math.Max(level, Answers);
}
