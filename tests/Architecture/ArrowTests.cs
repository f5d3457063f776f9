using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace KvTiers.Architecture.Tests;

/// <summary>
/// Who may name whom is the table of docs/flow.md: a project references what stands beside it, and a room (a folder, which is a namespace) names types of rooms
/// before it only. So no rooms stand in a circle, but for one and its parent where the table joins them (↔).
/// </summary>
public sealed partial class ArrowTests
{
    private static readonly CodeFile[] Files = [.. Sources.Of("src", "silo", "client").Select(file => new CodeFile(file, Sources.TextOf(file)))];

    private static readonly Dictionary<string, (string[] References, string[][] Rooms)> Table = TableLine().Matches(Sources.TextOf("docs/flow.md"))
        .ToDictionary(line => line.Groups[1].Value, line => (List(line.Groups[2].Value, ','), (string[][])[.. List(line.Groups[3].Value, ',').Select(place => List(place, '↔'))]));

    [Fact]
    public void ARoomNamesOnlyRoomsBeforeIt()
    {
        Arrow[] arrows = [.. Arrows()];
        Assert.Contains(arrows, arrow => arrow is { Project: "src/KvTiers", From: "Prefix", To: "Blocks" });
        Arrow[] forbidden = [.. arrows.Where(arrow => Place(arrow.To, arrow) > Place(arrow.From, arrow) || (Place(arrow.To, arrow) == Place(arrow.From, arrow) && !arrow.IsNested))];
        Assert.Empty(forbidden);
    }

    [Fact]
    public void EveryRoomStandsInTheTable() =>
        Assert.Equal(
            Files.GroupBy(file => file.Project).OrderBy(group => group.Key, StringComparer.Ordinal).Select(group => $"{group.Key}: {string.Join(' ', group.Select(file => file.Room).Distinct().Order(StringComparer.Ordinal))}"),
            Table.OrderBy(line => line.Key, StringComparer.Ordinal).Select(line => $"{line.Key}: {string.Join(' ', line.Value.Rooms.SelectMany(place => place).Order(StringComparer.Ordinal))}"));

    [Fact]
    public void AProjectReferencesWhatTheTableSays() =>
        Assert.All(Table, line =>
        {
            string project = Assert.Single(Directory.GetFiles(Path.Combine(Sources.Root, line.Key), "*.csproj"));
            IEnumerable<string> references = XDocument.Load(project).Descendants("ProjectReference").Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value));
            Assert.Equal(line.Value.References.Order(StringComparer.Ordinal), references.Order(StringComparer.Ordinal));
        });

    [Fact]
    public void ARoomIsANamespace() =>
        Assert.All(Files.Where(file => file.Namespace.Length > 0), file =>
        {
            string project = file.Project switch { "silo" => "KvTiers.Silo", "client" => "KvTiers.Cli", _ => file.Project["src/".Length..] };
            Assert.Equal(file.Room == "root" ? project : $"{project}.{file.Room.Replace('/', '.')}", file.Namespace);
        });

    // As text: nothing is compiled. A name that several rooms declare and the file can see counts for none.
    private static IEnumerable<Arrow> Arrows()
    {
        ILookup<string, CodeFile> declared = Files.SelectMany(file => file.Declared.Select(type => (type, file))).ToLookup(one => one.type, one => one.file);
        foreach (CodeFile file in Files)
        {
            foreach (string type in file.Named)
            {
                (string Project, string Room)[] owners = [.. declared[type].Where(owner => file.Seen.Contains(owner.Namespace)).Select(owner => (owner.Project, owner.Room)).Distinct()];
                if (owners is [var owner] && owner.Project == file.Project && owner.Room != file.Room)
                    yield return new(file.Project, file.Room, owner.Room, file.Path, type);
            }
        }
    }

    private static int Place(string room, Arrow arrow) => Array.FindIndex(Table[arrow.Project].Rooms, place => place.Contains(room));

    private static string[] List(string cell, char separator) => cell.Split(separator, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    [GeneratedRegex(@"^\| `([^`]+)` \|([^|]*)\|([^|]*)\|", RegexOptions.Multiline)]
    private static partial Regex TableLine();
}
