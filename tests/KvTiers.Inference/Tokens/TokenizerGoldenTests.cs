using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using KvTiers.Inference.Tokens;

namespace KvTiers.Inference.Tests.Tokens;

/// <summary>Agreement with Hugging Face's Rust implementation; tools/tokenizer_fixtures made the expectations.</summary>
public sealed class TokenizerGoldenTests(ITestOutputHelper output)
{
    public static TheoryData<string> Names => [.. GoldenTokenizers.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void EncodesEveryStringAsTheReferenceDoes(string name)
    {
        Tokenizer tokenizer = Tokenizer.Load(GoldenTokenizers.Folder(name));
        string[] strings = GoldenTokenizers.Strings();
        int[][] expected = GoldenTokenizers.Json($"{name}/expected.json").GetProperty("encoded").Deserialize<int[][]>()!;
        var wrong = new List<string>();
        for (int i = 0; i < strings.Length; i++)
        {
            int[] ids = tokenizer.Encode(strings[i]);
            if (!ids.AsSpan().SequenceEqual(expected[i]))
                wrong.Add($"{JsonSerializer.Serialize(strings[i])}: [{string.Join(' ', ids)}], expected [{string.Join(' ', expected[i])}]");
        }

        output.WriteLine($"{name}: {strings.Length - wrong.Count} of {strings.Length} strings agree");
        Assert.Equal(strings.Length, expected.Length);
        Assert.True(wrong.Count == 0, string.Join('\n', wrong.Take(10)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void DecodesRandomIdsAsTheReferenceDoesAtOnceAndStreamed(string name)
    {
        Tokenizer tokenizer = Tokenizer.Load(GoldenTokenizers.Folder(name));
        int count = 0;
        foreach (JsonElement entry in GoldenTokenizers.Json($"{name}/expected.json").GetProperty("decoded").EnumerateArray())
        {
            int[] ids = entry[0].Deserialize<int[]>()!;
            Assert.Equal(entry[1].GetString(), tokenizer.Decode(ids));
            TokenStream stream = tokenizer.CreateStream();
            Assert.Equal(entry[1].GetString(), string.Concat(ids.Select(stream.Append)) + stream.Flush());
            count++;
        }

        output.WriteLine($"{name}: {count} id sequences agree");
        Assert.True(count > 100);
    }

    [Fact]
    public void ClassifiesEveryScalarAsThePatternsOfTheReferenceDo()
    {
        JsonElement classes = GoldenTokenizers.Json("classes.json");
        HashSet<int>[] sets = [.. new[] { "letter", "number", "space" }.Select(name => Expand(classes.GetProperty(name)))];
        int checkedScalars = 0;
        for (int point = 0; point <= 0x10FFFF; point++)
        {
            if (!Rune.IsValid(point))
                continue;
            CharacterClass actual = CharacterClasses.First(new Rune(point).ToString(), out int width);
            CharacterClass expected = sets[0].Contains(point) ? CharacterClass.Letter
                : sets[1].Contains(point) ? CharacterClass.Number
                : !sets[2].Contains(point) ? CharacterClass.Other
                : point is '\r' or '\n' ? CharacterClass.LineBreak : CharacterClass.Space;
            Assert.True(expected == actual, $"U+{point:X4}: {actual}, expected {expected}");
            Assert.Equal(point > 0xFFFF ? 2 : 1, width);
            checkedScalars++;
        }

        output.WriteLine($"{checkedScalars} scalars agree");
        Assert.Equal(0x110000 - 0x800, checkedScalars);
    }

    [Fact]
    public void ComposesEveryScalarAndRandomMarkSequencesAsTheReferenceDoes()
    {
        JsonElement expected = GoldenTokenizers.Json("nfc.json");
        using var scalars = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (int point = 0; point <= 0x10FFFF; point++)
        {
            if (Rune.IsValid(point))
                scalars.AppendData(Encoding.UTF8.GetBytes(CanonicalComposition.Compose(new Rune(point).ToString()) + "\n"));
        }

        using var samples = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var random = new FixtureRandom(expected.GetProperty("seed").GetUInt64());
        for (int i = 0; i < expected.GetProperty("sequences").GetInt32(); i++)
            samples.AppendData(Encoding.UTF8.GetBytes(CanonicalComposition.Compose(random.NextMarkSequence()) + "\n"));

        Assert.Equal(expected.GetProperty("scalars").GetString(), Convert.ToHexStringLower(scalars.GetHashAndReset()));
        Assert.Equal(expected.GetProperty("samples").GetString(), Convert.ToHexStringLower(samples.GetHashAndReset()));
    }

    private static HashSet<int> Expand(JsonElement ranges) =>
        [.. ranges.EnumerateArray().SelectMany(range => Enumerable.Range(range[0].GetInt32(), range[1].GetInt32() - range[0].GetInt32() + 1))];
}
