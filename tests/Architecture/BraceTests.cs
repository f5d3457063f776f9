namespace KvTiers.Architecture.Tests;

/// <summary>Braces are set the same way everywhere; <see cref="BraceStyle"/> says how.</summary>
public sealed class BraceTests
{
    private static readonly string[] Tops = ["src", "silo", "client", "bench", "tests", "samples", "tools"];

    [Fact]
    public void ABodyHasBracesWhereItHasSeveralLines() =>
        Assert.Empty(Sources.Of(Tops).SelectMany(file => BraceStyle.Faults(Sources.TextOf(file)).Select(line => $"{file}:{line}")));

    [Theory]
    [InlineData("if (a)\n    b();", true)]
    [InlineData("if (a)\n{\n    b();\n}", false)]
    [InlineData("if (a)\n{\n    b();\n    c();\n}", true)]
    [InlineData("foreach (int a in b)\n    c(\n        a);", false)]
    [InlineData("foreach (int a in b)\n    if (a > 0)\n        c();", false)]
    [InlineData("if (a)\n    b();\nelse\n    c();", true)]
    [InlineData("if (a)\n    b();\nelse if (\n    c)\n{\n    d();\n    e();\n}", false)]
    [InlineData("if (a)\n{\n    b();\n}\nelse\n{\n    c();\n    d();\n}", true)]
    [InlineData("if (a)\n{\n    if (b)\n        c();\n}\nelse\n{\n    d();\n}", true)]
    [InlineData("if (a)\n{\n    // Why.\n    b();\n}", true)]
    [InlineData("if (a) return;\nb();", true)]
    public void TheRuleIsThis(string code, bool holds) => Assert.Equal(holds, !BraceStyle.Faults(code + "\n").Any());
}
