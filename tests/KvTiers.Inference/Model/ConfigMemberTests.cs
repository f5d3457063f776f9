using System.Text.Json.Nodes;
using KvTiers.Inference.Model;

namespace KvTiers.Inference.Tests.Model;

/// <summary>Each member of each architecture's configuration either changes the model, changes nothing, or is refused by its name: none is passed over.</summary>
public sealed class ConfigMemberTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Fixtures => [.. ConfigMembers.All.Select(members => members.Fixture)];

    [Theory]
    [MemberData(nameof(Fixtures))]
    public void EveryMemberDoesWhatItIsListedFor(string fixture)
    {
        ConfigMembers members = ConfigMembers.All.Single(one => one.Fixture == fixture).WithCommon();
        ModelConfig original = ModelConfig.Load(GoldenModels.Folder(fixture));
        List<string> wrong = [];
        foreach (string member in members.Changed)
            Check(member, Fate(fixture, member, original), "changed");
        foreach (string member in members.Same)
            Check(member, Fate(fixture, member, original), "same");
        foreach (string member in members.Refused)
            Check(member, Fate(fixture, member, original), "refused");

        Assert.True(wrong.Count == 0, string.Join("\n", wrong));

        void Check(string member, string fate, string expected)
        {
            if (fate != expected)
                wrong.Add($"{member} is {fate}, not {expected}");
        }
    }

    [Fact]
    public void EveryArchitectureHasItsMembersListed()
    {
        string[] listed = [.. ConfigMembers.All.Select(members => ModelConfig.Load(GoldenModels.Folder(members.Fixture)).Architecture).Distinct().Order()];

        Assert.Equal(ModelConfigReader.Architectures.Order(), listed);
    }

    public void Dispose() => _folder.Dispose();

    private string Fate(string fixture, string member, ModelConfig original)
    {
        int colon = member.IndexOf(": ", StringComparison.Ordinal);
        string name = member[..colon];
        JsonObject json = JsonNode.Parse(File.ReadAllText(Path.Combine(GoldenModels.Folder(fixture), "config.json")))!.AsObject();
        json[name] = JsonNode.Parse(member[(colon + 2)..]);
        File.WriteAllText(_folder.Sub("config.json"), json.ToJsonString());
        try
        {
            return ModelConfig.Load(_folder.Path).Equals(original) ? "same" : "changed";
        }
        catch (ModelFormatException fault)
        {
            return fault.Subject is { } subject && (subject == name || subject.StartsWith(name + ".", StringComparison.Ordinal)) ? "refused" : fault.Message;
        }
    }
}
