namespace KvTiers.Silo.Tests.Fields;

public sealed class FieldDocumentTests
{
    private const string Begin = "<!-- fields -->\n";
    private const string End = "<!-- /fields -->";

    /// <remarks>What the page should say is written to artifacts/api.md; copy it between the marks.</remarks>
    [Fact]
    public async Task ThePageShowsTheTables()
    {
        string root = Repository.Root;
        string page = await File.ReadAllTextAsync(Path.Combine(root, "docs/api.md"));
        string rendered = FieldDocument.Render();
        await File.WriteAllTextAsync(Path.Combine(Directory.CreateDirectory(Path.Combine(root, "artifacts")).FullName, "api.md"), rendered);

        int begin = page.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length;
        Assert.Equal(rendered.TrimEnd('\n'), page[begin..page.IndexOf(End, StringComparison.Ordinal)].TrimEnd('\n'));
    }
}
