using System.Reflection;
using KvTiers.Inference.Tokens;

namespace KvTiers.Inference.Tests.Constraints;

/// <summary>The demo model's tokenizer, read once.</summary>
internal static class TestTokenizer
{
    public static readonly Tokenizer Demo = Tokenizer.Load(Path.Combine(Root, "models", "demo"));

    private static string Root => typeof(TestTokenizer).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(metadata => metadata.Key == "RepositoryRoot").Value!;
}
