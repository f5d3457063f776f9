using System.Reflection;

namespace KvTiers.Packages.Tests;

public sealed class PublicApiTests
{
    public static TheoryData<string> Libraries => [.. Repository.Libraries];

    /// <summary>Users of a library build on all that it shows, so what it shows is changed on purpose: then the file is replaced by what the message names.</summary>
    [Theory]
    [MemberData(nameof(Libraries))]
    public void WhatALibraryShowsIsWhatItsFileSays(string library)
    {
        string file = Path.Combine(Repository.Root, "tests", "Packages", "api", library + ".txt");
        string actual = PublicApi.Of(Assembly.Load(library)), written = File.Exists(file) ? File.ReadAllText(file) : "";
        if (actual == written)
            return;
        string now = Path.Combine(Repository.Root, "artifacts", "api", library + ".txt");
        Directory.CreateDirectory(Path.GetDirectoryName(now)!);
        File.WriteAllText(now, actual);
        string[] before = written.Split('\n'), after = actual.Split('\n');
        Assert.Fail($"{library} shows something else than {file} says. Gone: {string.Join("; ", before.Except(after))}. New: {string.Join("; ", after.Except(before))}. All of it: {now}");
    }
}
