using System.Diagnostics;
using KvTiers.Conversations;
using KvTiers.Inference.Constraints;
using KvTiers.Inference.Constraints.Automata;
using KvTiers.Inference.Tokens;

namespace KvTiers.Inference.Tests.Constraints;

/// <summary>Forms that are meant to cost much: each is compiled within its bounds, or refused with what is too large.</summary>
public sealed class HostileConstraintTests(ITestOutputHelper output)
{
    private const long MostBytes = 64 << 20;

    private static readonly Tokenizer Tokenizer = TestTokenizer.Demo;

    private static readonly Dictionary<string, AnswerFormat> BoundedForms = new()
    {
        ["a count of a thousand millions"] = AnswerFormat.JsonSchema("""{"type":"array","items":{"type":"string","maxLength":1000000000},"minItems":1000000000}"""),
        ["large counts in one another"] = AnswerFormat.Regex("(((a{1,1000000}){1,1000000}){1,1000000}){1,1000000}"),
        ["stars in one another"] = AnswerFormat.Regex(Repeated("(", 150) + "a" + Repeated(")*", 150)),
        ["large classes"] = AnswerFormat.Regex(Repeated("[^\\p{Lu}\\p{Nd}]\\W\\S", 60)),
        ["a long list"] = AnswerFormat.Choice(Enumerable.Range(0, 15_000).Select(i => $"choice {i}")),
        ["many properties"] = AnswerFormat.JsonSchema("""{"type":"object","additionalProperties":false,"properties":{""" + Joined(2_000, i => $"\"p{i}\":{{\"type\":\"integer\"}}") + """}}"""),
        ["a chain of references"] = AnswerFormat.JsonSchema("""{"$ref":"#/$defs/d0","$defs":{""" + Joined(3_000, i => $"\"d{i}\":{{\"type\":\"array\",\"items\":{{\"$ref\":\"#/$defs/d{i + 1}\"}}}}") + ""","d3000":{}}}"""),
        ["the same alternatives over and over"] = AnswerFormat.JsonSchema("""{"$ref":"#/$defs/d0","$defs":{""" + Joined(80, i => $"\"d{i}\":{{\"anyOf\":[{{\"$ref\":\"#/$defs/d{i + 1}\"}},{{\"$ref\":\"#/$defs/d{i + 1}\"}}]}}") + ""","d80":{"type":"null"}}}"""),
        ["an ambiguous grammar"] = AnswerFormat.Grammar("root ::= root root | \"a\" | \"aa\" | \"aaa\""),
    };

    private static readonly Dictionary<string, (AnswerFormat Format, string Reason)> RefusedForms = new()
    {
        ["a deep schema"] = (AnswerFormat.JsonSchema(Repeated("""{"type":"array","items":""", 300) + "{}" + Repeated("}", 300)), "levels"),
        ["deep groups"] = (AnswerFormat.Regex(Repeated("(", 5_000) + "a" + Repeated(")", 5_000)), "deep"),
        ["deep groups of a grammar"] = (AnswerFormat.Grammar("root ::= " + Repeated("(", 5_000) + "\"a\"" + Repeated(")", 5_000)), "deep"),
        ["a long text"] = (AnswerFormat.Regex(new string('a', 300_000)), "characters"),
        ["combinations"] = (AnswerFormat.JsonSchema($$"""{"allOf":[{{Joined(30, i => $"{{\"anyOf\":[{{\"minimum\":{i}}},{{\"maximum\":{i}}}]}}")}}]}"""), "alternatives"),
        ["a deterministic part that doubles with each letter"] = (AnswerFormat.JsonSchema("""{"type":"string","pattern":"a.{30}b","maxLength":100}"""), "too large"),
        ["lookaheads"] = (AnswerFormat.Regex(string.Concat(Enumerable.Range('a', 26).Select(letter => $"(?=.*{(char)letter}.*{(char)letter})")) + ".*"), "too large"),
        ["a pattern and a long length"] = (AnswerFormat.JsonSchema("""{"type":"string","pattern":"^[a-z]+$","maxLength":1000000}"""), "too large"),
        ["alternatives side by side"] = (AnswerFormat.Regex(string.Join('|', Enumerable.Range(0, 9_000).Select(i => $".*{i}"))), "too large"),
        ["many any-strings"] = (AnswerFormat.Regex(Repeated(".*", 1_500) + "x"), "too ambiguous"),
        ["many rules"] = (AnswerFormat.Grammar("root ::= r0\n" + string.Concat(Enumerable.Range(0, 5_000).Select(i => $"r{i} ::= \"a\" r{((i * 7) + 1) % 5_000} | r{i + 1} | \"b\"\n")) + "r5000 ::= \"c\""), "too ambiguous"),
        ["left recursion by way of others"] = (AnswerFormat.Grammar("root ::= a \"x\"\na ::= b | \"y\"\nb ::= root"), "begins with itself"),
    };

    public static TheoryData<string> Bounded => [.. BoundedForms.Keys];

    public static TheoryData<string> Refused => [.. RefusedForms.Keys];

    [Theory]
    [MemberData(nameof(Bounded))]
    public void LargeFormsStayWithinTheirBounds(string what)
    {
        Constraint constraint = Measure(what, () => Constraint.Compile(BoundedForms[what], Tokenizer));
        Assert.InRange(constraint.Bytes, 1, MostBytes);
        var text = new ConstrainedText(constraint, mayEnd: true);
        var random = new Random(1);
        for (int i = 0; i < 20 && !text.IsComplete; i++)
        {
            List<int> allowed = [.. Walk.Ids(text.Allowed()).Where(id => !Tokenizer.EndOfText.Contains(id))];
            text.Append(allowed[random.Next(allowed.Count)]);
        }

        Assert.InRange(constraint.Bytes, 1, MostBytes);
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public void TooLargeOnesAreRefused(string what) => Assert.Contains(
        RefusedForms[what].Reason,
        Measure(what, () => Assert.Throws<ConstraintException>(() => Constraint.Compile(RefusedForms[what].Format, Tokenizer))).Message);

    private T Measure<T>(string what, Func<T> compile)
    {
        long bytes = GC.GetAllocatedBytesForCurrentThread();
        long begin = Stopwatch.GetTimestamp();
        T result = compile();
        output.WriteLine($"{what}: {Stopwatch.GetElapsedTime(begin).TotalMilliseconds:0} ms, {(GC.GetAllocatedBytesForCurrentThread() - bytes) >> 20} MiB allocated in all");
        return result;
    }

    private static string Repeated(string text, int count) => string.Concat(Enumerable.Repeat(text, count));

    private static string Joined(int count, Func<int, string> part) => string.Join(',', Enumerable.Range(0, count).Select(part));
}
