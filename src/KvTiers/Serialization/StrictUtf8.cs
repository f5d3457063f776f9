using System.Text;

namespace KvTiers.Serialization;

/// <summary>UTF-8 that refuses what is not, both ways, instead of replacing it.</summary>
internal static class StrictUtf8
{
    public static UTF8Encoding Encoding { get; } = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
}
