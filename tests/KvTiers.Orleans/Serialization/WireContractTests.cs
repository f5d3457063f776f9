using System.Reflection;
using System.Text;
using KvTiers.Orleans.Serialization;
using Orleans.Serialization.Invocation;

namespace KvTiers.Orleans.Tests.Serialization;

/// <summary>What silos of two builds must agree on stays what it is: a change that nobody meant is red.</summary>
public sealed class WireContractTests
{
    /// <summary>
    /// When this fails, the build at hand cannot be trusted to talk with the one before it. Allowed are: a method under a new name, with the version of its
    /// interface raised; a member under a new number, or a JSON member, that is not required and that a reader can do without; a record, a kind of fault or
    /// a mode that older silos are not sent. Then the file is brought up to what is printed. Everything else needs a new name beside the old one.
    /// </summary>
    [Fact]
    public void ItIsWhatTheFileSays()
    {
        string file = Path.Combine(Root, "tests", "KvTiers.Orleans", "Serialization", "wire-contract.txt");
        string[] written = File.ReadAllLines(file), described = WireContract.Describe().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.True(written.SequenceEqual(described), $"Gone: {string.Join("; ", written.Except(described))}\nNew: {string.Join("; ", described.Except(written))}\nAll:\n{WireContract.Describe()}");
    }

    [Fact]
    public void EverythingThatTravelsIsNamed()
    {
        Assert.DoesNotContain(WireContract.Unnamed, WireContract.Describe(), StringComparison.Ordinal);
        string[] names = [.. WireContract.Records.Concat(WireContract.Interfaces).Select(type => type.GetCustomAttribute<AliasAttribute>()?.Alias ?? type.Name), .. WireNames.Json.Values, .. WireNames.Surrogates.Values];
        Assert.Equal(names.Order().Distinct(), names.Order());
    }

    /// <summary>Types may move: what is sent says nothing of where they are.</summary>
    [Fact]
    public void NoCallAndNoAnswerSaysWhereATypeIs()
    {
        MethodInfo[] methods = [.. WireContract.Interfaces.SelectMany(type => type.GetMethods())];
        Type[] calls = [.. typeof(WireNames).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(RequestBase)))];
        Assert.Equal(methods.Length, calls.Length);
        foreach (Type call in calls)
        {
            object request = Activator.CreateInstance(call)!;
            foreach (FieldInfo argument in call.GetFields().Where(field => field.FieldType != typeof(CancellationToken)))
                argument.SetValue(request, Filled.Of(argument.FieldType));
            AssertNeutral(call.Name, SessionsCodecTests.Write<object>(request));
        }

        foreach (Type answer in methods.Select(method => method.ReturnType).Where(type => type.IsGenericType).Select(type => type.GenericTypeArguments[0]).Distinct())
        {
            object response = typeof(Response).GetMethod(nameof(Response.FromResult))!.MakeGenericMethod(answer).Invoke(null, [Filled.Of(answer)])!;
            AssertNeutral(answer.Name, SessionsCodecTests.Write(response));
        }

        AssertNeutral(nameof(ConversationFault), SessionsCodecTests.Write<object>(Response.FromException(new ConversationFault(ConversationFaultKind.Io, "x"))));
    }

    private static string Root => typeof(WireContractTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "RepositoryRoot").Value!;

    private static void AssertNeutral(string what, byte[] bytes)
    {
        string text = Encoding.Latin1.GetString(bytes);
        Assert.False(text.Contains("KvTiers", StringComparison.Ordinal), $"{what}: {text}");
    }
}
