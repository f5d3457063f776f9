using KvTiers.Bench.Reporting;

namespace KvTiers.Bench.Tests.Summary;

public sealed class ResultTableTests
{
    [Fact]
    public void ARowHasItsValuesByColumn()
    {
        ResultTable table = ResultTable.Parse("# commit abc123\n# memory 23 GiB\nwhat,ms,note\n\"decode, short\",1.5,\nprefill,20,\"a, b\"\n");

        Assert.Equal("abc123", table.Commit);
        Assert.Equal(2, table.Rows.Count);
        Assert.Equal("decode, short", table.Rows[0]["what"]);
        Assert.Equal(1.5, table.Rows[0].Number("ms"));
        Assert.Equal("", table.Rows[0]["note"]);
        Assert.Equal("a, b", table.Rows[1]["note"]);
    }

    [Theory]
    [InlineData("# commit abc\n")]
    [InlineData("a,b\n1\n")]
    [InlineData("a,b\n1,2,3\n")]
    public void WhatIsNoTableIsRefused(string text) => Assert.Throws<FormatException>(() => ResultTable.Parse(text));

    [Fact]
    public void AColumnThatIsNotThereIsNamed()
    {
        var exception = Assert.Throws<FormatException>(() => ResultTable.Parse("a,b\n1,2\n").Rows[0]["c"]);

        Assert.Contains("'c'", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatAResultFileWritesIsReadBack()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("kvtiers-bench-test-");
        try
        {
            using (var file = ResultFile.Create(folder, "x", "what", "n", "share"))
                file.Add("one, two", 3, 0.25);

            ResultRow row = Assert.Single(ResultTable.Parse(File.ReadAllText(Path.Combine(folder.FullName, "x.csv"))).Rows);
            Assert.Equal("one, two", row["what"]);
            Assert.Equal(0.25, row.Number("share"));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
