using System.Text.RegularExpressions;
using KvTiers.Conversations;
using KvTiers.Inference.Constraints;
using KvTiers.Inference.Constraints.Automata;
using KvTiers.Inference.Tokens;

namespace KvTiers.Inference.Tests.Constraints;

/// <summary>Regular expressions as constraints, against .NET's own.</summary>
public sealed class PatternConstraintTests
{
    private static readonly Tokenizer Tokenizer = TestTokenizer.Demo;

    [Theory]
    [InlineData("abc", "abc")]
    [InlineData("a|bc|", "", "a", "bc")]
    [InlineData("a*b+c?", "b", "aabbc", "abc")]
    [InlineData("(ab){2,3}", "abab", "ababab")]
    [InlineData("[a-c]{3}", "abc", "cab")]
    [InlineData("[^a-c\\n]+", "xyz", "é", "日本", "😀")]
    [InlineData("\\d{4}-\\d\\d", "2024-05")]
    [InlineData("(?:a|b)*?c", "c", "abac")]
    [InlineData("^a$", "a")]
    [InlineData("(?<year>\\d+)", "1")]
    [InlineData("\\p{Lu}\\p{L}*", "Éa", "Zß")]
    [InlineData("a{0}b", "b")]
    [InlineData("x{2,}", "xx", "xxxxx")]
    [InlineData("[\\]\\-a]+", "]-a")]
    [InlineData("a{,2}", "a{,2}")]
    [InlineData("(?=.*\\d)[a-z0-9]{3}", "a1b", "1ab")]
    [InlineData("(?!ab)[a-c]{3}", "acb", "bab")]
    [InlineData("(a{1,100}){1,100}", "a", "aaaaaaaaaa")]
    [InlineData("\\u00e9\\x41", "éA")]
    public void TextsThatMatchAreAllowed(string pattern, params string[] texts) =>
        Assert.All(texts, text => Assert.True(Walk.Allows(AnswerFormat.Regex(pattern), Tokenizer, text), text));

    [Theory]
    [InlineData("abc", "ab", "abcd", "xabc")]
    [InlineData("a*b+c?", "a", "bcc")]
    [InlineData("(ab){2,3}", "ab", "abababab")]
    [InlineData(".", "\n", "ab", "")]
    [InlineData("(?=.*\\d)[a-z0-9]{3}", "abc")]
    [InlineData("(?!ab)[a-c]{3}", "abc")]
    [InlineData("x{1,1000000}", "", "y")]
    public void OthersAreNot(string pattern, params string[] texts) =>
        Assert.All(texts, text => Assert.False(Walk.Allows(AnswerFormat.Regex(pattern), Tokenizer, text), text));

    [Theory]
    [InlineData("(a)\\1", "backreference")]
    [InlineData("\\k<x>", "backreference")]
    [InlineData("(?<=a)b", "lookbehind")]
    [InlineData("a(?!b)c", "lookahead")]
    [InlineData("\\bword\\b", "word boundary")]
    [InlineData("(?i)a", "flags")]
    [InlineData("(?>a)", "atomic")]
    [InlineData("a++", "possessive")]
    [InlineData("*a", "repeats nothing")]
    [InlineData("(a", "')' is missing")]
    [InlineData("a)", "closes nothing")]
    [InlineData("[a", "without ']'")]
    [InlineData("[z-a]", "range")]
    [InlineData("a{3,2}", "below its beginning")]
    [InlineData("\\q", "escape '\\q'")]
    [InlineData("\\p{Greek}", "Unicode property")]
    [InlineData("", "empty answer")]
    [InlineData("a^b", "no text at all")]
    public void WhatIsNotSupportedIsRefusedByName(string pattern, string name) =>
        Assert.Contains(name, Assert.Throws<ConstraintException>(() => Constraint.Compile(AnswerFormat.Regex(pattern), Tokenizer)).Message);

    [Fact]
    public void EveryDrawnTextMatchesAndEveryTextThatMatchesIsAllowed()
    {
        var random = new Random(17);
        int drawn = 0;
        for (int i = 0; i < 200; i++)
        {
            string pattern = RandomPattern.Of(random);
            Constraint constraint;
            try
            {
                constraint = Constraint.Compile(AnswerFormat.Regex(pattern), Tokenizer);
            }
            catch (ConstraintException e) when (e.Message.Contains("empty answer"))
            {
                continue;
            }

            Regex oracle = RandomPattern.Oracle(pattern);
            for (int turn = 0; turn < 20; turn++)
            {
                if (Walk.Draw(constraint, Tokenizer, random, limit: 60) is not { } text)
                    continue;
                Assert.True(oracle.IsMatch(RandomPattern.InOnePlane(text)), $"{pattern} drew '{text}'");
                drawn++;
            }

            // The other way round: short texts of the pattern's own characters, whatever the oracle says of them.
            for (int turn = 0; turn < 100; turn++)
            {
                string text = RandomPattern.Text(random);
                Assert.True(oracle.IsMatch(text) == Walk.Allows(constraint, Tokenizer, text), $"{pattern} and '{text}'");
            }
        }

        Assert.True(drawn > 2_000, $"Only {drawn} texts were drawn to their end.");
    }
}
