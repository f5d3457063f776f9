using KvTiers.Conversations;
using KvTiers.Inference.Constraints;
using KvTiers.Inference.Constraints.Automata;
using KvTiers.Inference.Tokens;

namespace KvTiers.Inference.Tests.Constraints;

/// <summary>Grammars and lists as constraints.</summary>
public sealed class GrammarConstraintTests
{
    private const string Arithmetic = """
        # Sums and products.
        root  ::= sum "\n"?
        sum   ::= sum ("+" | "-") product | product
        product ::= factor ("*" factor)*
        factor ::= [0-9]+ | "(" sum ")"
        """;

    private const string Pairs = """root ::= "(" root ")" root | "" """;

    private static readonly Tokenizer Tokenizer = TestTokenizer.Demo;

    [Theory]
    [InlineData(Arithmetic, "1", "1+2*3", "(1-2)*(3+4)\n", "((((7))))")]
    [InlineData(Pairs, "", "()", "(())()", "((((()))))")]
    [InlineData("root ::= \"a\" root \"a\" | \"b\"", "b", "aabaa")]
    [InlineData("root = 'yes' ; ", "yes")]
    [InlineData("start: a | b\na: 'x'\nb: 'y'", "x", "y")]
    [InlineData("root ::= \"\\x41\\u00e9\\\"\" [^\\n\\]]{2}", "Aé\"xy")]
    [InlineData("root ::= (\"a\" |\n  \"b\"){,2} .", "x", "abz", "aa")]
    [InlineData("root ::= \"call \" %json {\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\"}},\"required\":[\"n\"],\"additionalProperties\":false} \";\"", "call {\"n\": 5};")]
    public void TextsOfTheGrammarAreAllowed(string grammar, params string[] texts) =>
        Assert.All(texts, text => Assert.True(Walk.Allows(AnswerFormat.Grammar(grammar), Tokenizer, text), text));

    [Theory]
    [InlineData(Arithmetic, "", "1+", "(1", "1)", "1--2")]
    [InlineData(Pairs, "(", "())", ")(")]
    [InlineData("root ::= \"a\" root \"a\" | \"b\"", "aaba", "ab")]
    public void OthersAreNot(string grammar, params string[] texts) =>
        Assert.All(texts, text => Assert.False(Walk.Allows(AnswerFormat.Grammar(grammar), Tokenizer, text), text));

    [Theory]
    [InlineData("root ::= other", "names the rule 'other'")]
    [InlineData("a ::= \"x\"", "no rule 'root'")]
    [InlineData("root ::= a \"x\"\na ::= b\nb ::= a \"y\" | \"z\"", "begins with itself")]
    [InlineData("root ::= \"a\" root", "no text at all")]
    [InlineData("root ::= \"a\"\nroot ::= \"b\"", "Line 2 of the grammar: the rule 'root' is defined twice")]
    [InlineData("root ::= \"a", "does not end")]
    [InlineData("root ::= (\"a\"", "')' is missing")]
    [InlineData("root ::= <think>", "tokens by name")]
    [InlineData("root ::= \"a\"{3,1}", "below its beginning")]
    [InlineData("root ::= %json {\"not\":{}}", "'not' is not supported")]
    [InlineData("root ::= %json {", "not well-formed JSON")]
    [InlineData("root \"a\"", "'::=' is missing")]
    public void WhatIsWrongIsNamed(string grammar, string name) =>
        Assert.Contains(name, Assert.Throws<ConstraintException>(() => Constraint.Compile(AnswerFormat.Grammar(grammar), Tokenizer)).Message);

    [Fact]
    public void AChoiceIsOneOfItsTextsAndNothingElse()
    {
        string[] choices = ["positive", "negative", "neutral", "neu", "日本"];
        AnswerFormat format = AnswerFormat.Choice(choices);
        Assert.All(choices, choice => Assert.True(Walk.Allows(format, Tokenizer, choice)));
        Assert.All((string[])["pos", "neut", "", "positive "], text => Assert.False(Walk.Allows(format, Tokenizer, text)));
        Constraint constraint = Constraint.Compile(format, Tokenizer);
        HashSet<string?> drawn = [.. Enumerable.Range(0, 200).Select(seed => Walk.Draw(constraint, Tokenizer, new Random(seed)))];
        Assert.Equal(choices.ToHashSet<string?>(), drawn);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData("[\"\"]")]
    [InlineData("[null]")]
    public void AListWithoutTextsIsRefused(string json) =>
        Assert.Throws<ConstraintException>(() => Constraint.Compile(new AnswerFormat(AnswerFormatKind.Choice, json), Tokenizer));

    [Fact]
    public void RightRecursionKeepsTheStackFlat()
    {
        var constraint = Constraint.Compile(AnswerFormat.Grammar("root ::= \"a\" root | \"b\""), Tokenizer);
        AutomatonState state = constraint.Start;
        int a = Tokenizer.Encode("a", addSpecial: false)[0];
        AutomatonState first = constraint.Advance(state, a);
        for (int i = 0; i < 10_000; i++)
            state = constraint.Advance(state, a);
        Assert.Same(first, state);
    }

    [Fact]
    public void AmbiguityDoesNotMultiply()
    {
        // Every a may be closed by b or by c: as many readings as there are words of b and c, in one stack.
        var constraint = Constraint.Compile(AnswerFormat.Grammar("root ::= \"a\" root \"b\" | \"a\" root \"c\" | \"d\""), Tokenizer);
        AutomatonState state = constraint.Start;
        int a = Tokenizer.Encode("a", addSpecial: false)[0];
        for (int i = 0; i < 1_000; i++)
            state = constraint.Advance(state, a);
        Assert.True(state.Items.Length <= 3, $"{state.Items.Length} readings");
    }

    [Fact]
    public void TheCacheCompilesOnceAndStaysBounded()
    {
        var cache = new ConstraintCache(Tokenizer);
        Constraint first = cache.Get(AnswerFormat.Regex("a+"));
        Assert.Same(first, cache.Get(AnswerFormat.Regex("a+")));
        for (int i = 0; i < 100; i++)
            cache.Get(AnswerFormat.Regex($"b{{{i + 1}}}"));
        Assert.Equal(64, cache.Count);
        Assert.NotSame(first, cache.Get(AnswerFormat.Regex("a+")));
    }
}
