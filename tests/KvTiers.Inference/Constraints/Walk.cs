using System.Text;
using KvTiers.Conversations;
using KvTiers.Inference.Constraints;
using KvTiers.Inference.Tokens;

namespace KvTiers.Inference.Tests.Constraints;

/// <summary>Texts under a constraint without a model: drawn token by token among those that are allowed, or held against it byte by byte.</summary>
internal static class Walk
{
    /// <summary>Draws a text to its end. Near the limit, ends as soon as it may.</summary>
    /// <returns>Null when the limit came first.</returns>
    public static string? Draw(Constraint constraint, Tokenizer tokenizer, Random random, int limit = 400)
    {
        var text = new ConstrainedText(constraint, mayEnd: true);
        var bytes = new List<byte>();
        for (int i = 0; i < limit && !text.IsComplete; i++)
        {
            List<int> allowed = Ids(text.Allowed());
            Assert.NotEmpty(allowed);
            List<int> ends = [.. allowed.Where(tokenizer.EndOfText.Contains)];
            int id = ends.Count > 0 && (i > limit / 4 || random.Next(3) == 0) ? ends[0] : allowed[random.Next(allowed.Count)];
            if (tokenizer.EndOfText.Contains(id))
                return Encoding.UTF8.GetString([.. bytes]);
            Assert.False(tokenizer.IsSpecial(id));
            bytes.AddRange(tokenizer.TokenBytes(id));
            text.Append(id);
        }

        return text.IsComplete ? new UTF8Encoding(false, throwOnInvalidBytes: true).GetString([.. bytes]) : null;
    }

    /// <summary>Whether a text is allowed as a whole: every token of its own encoding, and the end behind it.</summary>
    public static bool Allows(Constraint constraint, Tokenizer tokenizer, string text)
    {
        var walked = new ConstrainedText(constraint, mayEnd: true);
        foreach (int id in tokenizer.Encode(text, parseSpecial: false, addSpecial: false))
        {
            if (walked.IsComplete || !Has(walked.Allowed(), id))
                return false;
            walked.Append(id);
        }

        return walked.IsComplete || tokenizer.EndOfText.Any(end => Has(walked.Allowed(), end));
    }

    public static bool Allows(AnswerFormat format, Tokenizer tokenizer, string text) => Allows(Constraint.Compile(format, tokenizer), tokenizer, text);

    public static bool Has(ReadOnlySpan<ulong> mask, int id) => (mask[id / 64] >> (id % 64) & 1) != 0;

    public static List<int> Ids(ReadOnlySpan<ulong> mask)
    {
        var ids = new List<int>();
        for (int id = 0; id < mask.Length * 64; id++)
        {
            if (Has(mask, id))
                ids.Add(id);
        }

        return ids;
    }
}
