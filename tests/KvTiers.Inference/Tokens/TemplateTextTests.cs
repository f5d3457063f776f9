using KvTiers.Inference.Tokens;
using KvTiers.Inference.Tokens.Templates;

namespace KvTiers.Inference.Tests.Tokens;

public sealed class TemplateTextTests
{
    [Fact]
    public void TwoTextsMakeTheTextThatTheBuilderMakes()
    {
        TemplateText[] pieces =
        [
            TemplateText.Empty, TemplateText.Plain("plain"), TemplateText.Of("content", content: true), new TemplateText("<in the middle>", [(1, 3), (7, 13)]),
            new TemplateText("at both ends", [(0, 2), (8, 12)]),
        ];
        foreach (TemplateText first in pieces)
        {
            foreach (TemplateText second in pieces)
            {
                var builder = new TemplateTextBuilder(Budget());
                builder.Append(first);
                builder.Append(second);
                TemplateText expected = builder.ToText(), joined = TemplateText.Concat(first, second, Budget());
                Assert.Equal(expected.Value, joined.Value);
                Assert.Equal(expected.Content.ToArray(), joined.Content.ToArray());
            }
        }
    }

    [Fact]
    public void ATextBeyondTheLimitIsRefused()
    {
        TemplateText half = TemplateText.Plain(new string('x', (TemplateText.MaxLength / 2) + 1));
        Assert.Throws<TemplateException>(() => TemplateText.Concat(half, half, Budget()));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(40)]
    public void ASearchFindsWhatStandsThereFirst(int length)
    {
        var random = new Random(length);
        for (int i = 0; i < 3000; i++)
        {
            string text = Letters(random, random.Next(200)), wanted = Letters(random, length + random.Next(length));
            if (random.Next(2) == 0 && text.Length > 0)
                text = text.Insert(random.Next(text.Length), wanted);
            int from = random.Next(text.Length + 1);
            Assert.Equal(text.IndexOf(wanted, from, StringComparison.Ordinal), new TemplateSearch(wanted, Budget()).IndexIn(text, from));
        }
    }

    [Fact]
    public void APartKeepsTheContentThatLiesInIt()
    {
        var text = new TemplateText("abcdefghij", [(1, 3), (5, 6), (8, 10)]);
        for (int start = 0; start <= 10; start++)
        {
            for (int end = start; end <= 10; end++)
            {
                TemplateText part = text.Slice(start, end, Budget());
                Assert.Equal(text.Value[start..end], part.Value);
                for (int i = start; i < end; i++)
                    Assert.Equal(Holds(text, i), Holds(part, i - start));
            }
        }

        static bool Holds(TemplateText text, int place) => text.Content.ToArray().Any(range => range.Start <= place && place < range.End);
    }

    // Few letters, so that much nearly stands everywhere.
    private static string Letters(Random random, int length) => string.Concat(Enumerable.Range(0, length).Select(_ => random.Next(8) == 0 ? 'b' : 'a'));

    private static TemplateBudget Budget() => new(new TemplateLimits { Bytes = 1L << 30 });
}
