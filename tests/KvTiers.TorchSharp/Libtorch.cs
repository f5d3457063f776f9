using System.Reflection;
using static TorchSharp.torch;

[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace KvTiers.TorchSharp.Tests;

/// <summary>Whether TorchSharp's native part is there, and what would bring it.</summary>
internal static class Libtorch
{
    private const string Command = "dotnet test tests/KvTiers.TorchSharp -c Release -p:Torch=cpu";

    private static readonly string? Missing = Load();

    /// <summary>Skips the test, with a reason of one line, where it is not.</summary>
    public static void Require() => Assert.SkipUnless(Missing is null, Missing ?? "");

    private static string? Load()
    {
        // Not asked for then: TorchSharp would copy half a gigabyte out of the user's package folder, if it is there, and load that.
        if (typeof(Libtorch).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "Torch").Value is not { Length: > 0 })
            return $"Built without libtorch. To run it: {Command}";
        try
        {
            using Tensor one = ones(1);
            return null;
        }
        catch (Exception exception) when (exception is TypeInitializationException or NotSupportedException or DllNotFoundException)
        {
            return $"libtorch does not load here; docs/torchsharp.md says what it needs. {exception.GetBaseException().Message.ReplaceLineEndings(" ")}";
        }
    }
}
