using KvTiers.Bench.Reporting;
using KvTiers.Bench.Summary;

namespace KvTiers.Bench.Tests.Summary;

public sealed class SummaryTests
{
    private const string Engine = "# commit abc123\nwhat,weights,path,kv,threads,tokens_per_s,rate,limit,unit,of_limit\n"
        + "\"decode, short\",BF16,Avx512,BF16,2,158.69,42.741,47.058,GB/s,0.91592\nprefill 512,Int8,Avx512,BF16,2,2278.4,524.43,482.86,GFLOP/s,1.1049\n";

    [Fact]
    public void TheCommittedSummaryIsWhatTheCommittedResultsSay()
    {
        string page = File.ReadAllText(RepositoryRoot.PathOf("docs", "performance.md"));

        string table = SummaryTable.Of(new DirectoryInfo(RepositoryRoot.PathOf("bench", "results")));

        // When this fails: dotnet run --project bench -c Release -- summary
        Assert.Equal(SummaryTable.PutInto(page, table), page);
    }

    [Fact]
    public void TheCommittedPlotOfTheEngineIsWhatItsResultsSay()
    {
        string results = RepositoryRoot.PathOf("bench", "results");

        Assert.Equal(EnginePlot.Of(ResultTable.Parse(File.ReadAllText(Path.Combine(results, "engine.csv")))), File.ReadAllText(Path.Combine(results, "engine.svg")));
    }

    [Fact]
    public void ALineHasTheFigureItsLimitAndTheFraction()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("kvtiers-bench-test-");
        try
        {
            File.WriteAllText(Path.Combine(folder.FullName, "engine.csv"), Engine);

            string[] lines = SummaryTable.Of(folder).Split('\n');

            Assert.Equal("| decode, short, bf16: 159 tokens/s | 42.7 GB/s | memory read 47.1 GB/s | 92 % | `engine` | abc123 |", lines[2]);
            Assert.Equal("| prefill 512, int8: 2,278 tokens/s | 524 GFLOP/s | f32 multiply-adds 483 GFLOP/s | 110 % | `engine` | abc123 |", lines[3]);
            Assert.Equal(5, lines.Length);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void TheTableTakesThePlaceOfWhatStoodBetweenTheMarkers()
    {
        string page = $"before\n{SummaryTable.Begin}\nold\n{SummaryTable.End}\nafter\n";

        Assert.Equal($"before\n{SummaryTable.Begin}\n\nnew\n\n{SummaryTable.End}\nafter\n", SummaryTable.PutInto(page, "new\n"));
    }

    [Theory]
    [InlineData("")]
    [InlineData(SummaryTable.Begin)]
    [InlineData(SummaryTable.End + SummaryTable.Begin)]
    public void APageWithoutMarkersIsRefused(string page) => Assert.Throws<FormatException>(() => SummaryTable.PutInto(page, "new"));

    [Fact]
    public void ABarIsAsLongAsItsFraction()
    {
        string plot = EnginePlot.Of(ResultTable.Parse(Engine));

        Assert.Contains("decode, short, bf16", plot, StringComparison.Ordinal);
        Assert.Contains("92 %", plot, StringComparison.Ordinal);
        Assert.Contains("width=\"450.0\"", plot, StringComparison.Ordinal); // the longest fills the room
        Assert.Contains("width=\"373.0\"", plot, StringComparison.Ordinal);
    }
}
