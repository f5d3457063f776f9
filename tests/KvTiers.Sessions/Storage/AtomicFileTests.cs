using KvTiers.Sessions.Storage;

namespace KvTiers.Sessions.Tests.Storage;

/// <summary>A file is created once, however many try.</summary>
public sealed class AtomicFileTests
{
    [Fact]
    public void OfSeveralThatCreateOneFileOneIsFirst()
    {
        using var folder = new TemporaryFolder();
        for (int round = 0; round < 500; round++)
        {
            string path = Path.Combine(folder.Path, $"{round}");
            bool[] created = new bool[4];
            using var together = new Barrier(created.Length);
            Thread[] threads = [.. Enumerable.Range(0, created.Length).Select(i => new Thread(() =>
            {
                together.SignalAndWait();
                created[i] = AtomicFile.TryCreate(path, [(byte)i], sync: false);
            }))];
            Array.ForEach(threads, thread => thread.Start());
            Array.ForEach(threads, thread => thread.Join());
            int first = Assert.Single(Enumerable.Range(0, created.Length), i => created[i]);
            Assert.Equal([(byte)first], File.ReadAllBytes(path));
        }

        Assert.Equal(500, Directory.GetFiles(folder.Path).Length);
    }
}
