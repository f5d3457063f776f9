using StackExchange.Redis;

namespace KvTiers.Redis;

/// <summary>A key that this library keeps books in holds something else: a script stumbled over it. The server is well.</summary>
internal sealed class BookkeepingException(string message, Exception? inner) : IOException(message, inner)
{
    // What Redis says of a value of another type, of a number that is none or too large; and what Lua says of what is missing.
    private static readonly string[] Signs = ["WRONGTYPE", "not an integer", "overflow", "attempt to"];

    /// <summary>Whether a server's answer says so.</summary>
    public static bool Says(RedisServerException fault) => Signs.Any(sign => fault.Message.Contains(sign, StringComparison.Ordinal));
}
