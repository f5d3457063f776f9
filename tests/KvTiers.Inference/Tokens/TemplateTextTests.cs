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
                var builder = new TemplateTextBuilder();
                builder.Append(first);
                builder.Append(second);
                TemplateText expected = builder.ToText(), joined = TemplateText.Concat(first, second);
                Assert.Equal(expected.Value, joined.Value);
                Assert.Equal(expected.Content.ToArray(), joined.Content.ToArray());
            }
        }
    }

    [Fact]
    public void ATextBeyondTheLimitIsRefused()
    {
        TemplateText half = TemplateText.Plain(new string('x', (TemplateText.MaxLength / 2) + 1));
        Assert.Throws<KvTiers.Inference.Tokens.TemplateException>(() => TemplateText.Concat(half, half));
    }
}
