using KvTiers.Samples.OwnEngine;

namespace KvTiers.Tests.Samples;

/// <summary><c>samples/own-engine</c>: the cache under an engine that is no transformer.</summary>
public sealed class OwnEngineTests
{
    [Fact]
    public async Task ThePromptIsComputedFoundHotAndLoadedAfterARestart()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("kvtiers-tests-");
        try
        {
            using var output = new StringWriter();
            await Sample.RunAsync(folder.FullName, output);
            string[] lines = output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            int answer = Enumerable.Range(1, 100).Aggregate(17, (digest, token) => unchecked((digest * 31) + token));
            Assert.Equal(
                [
                    $"computed: 0 of 100 tokens found, 100 computed, the answer is {answer}",
                    $"hot: 99 of 100 tokens found, 1 computed, the answer is {answer}",
                    $"disk: 96 of 100 tokens found, 4 computed, the answer is {answer}",
                ],
                lines);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
