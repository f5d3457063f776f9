using System.Security.Cryptography;
using System.Text;

namespace KvTiers.Inference.Tools;

/// <summary>Ids of calls.</summary>
public static class ToolIds
{
    private const string Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private const int Length = 24;
    private const int MistralLength = 9;

    /// <summary>The id of an answer's call, derived from a seed.</summary>
    /// <param name="format">How the model writes calls: Mistral's templates take ids of 9 letters and digits only.</param>
    /// <param name="seed">The answer's; another answer has another.</param>
    /// <param name="call">Which call of the answer, from 0.</param>
    public static string Of(ToolFormat format, string seed, int call) =>
        format == ToolFormat.Mistral ? Derive($"{seed}#{call}", MistralLength) : "call_" + Derive($"{seed}#{call}", Length);

    /// <summary>An id as a model's chat template takes it: the same for the same id.</summary>
    internal static string ForTemplate(ToolFormat format, string id) =>
        format != ToolFormat.Mistral || (id.Length == MistralLength && id.All(char.IsAsciiLetterOrDigit)) ? id : Derive(id, MistralLength);

    private static string Derive(string text, int length)
    {
        byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes(text));
        return string.Create(length, hash, (characters, bytes) =>
        {
            for (int i = 0; i < characters.Length; i++)
                characters[i] = Digits[bytes[i] % Digits.Length];
        });
    }
}
