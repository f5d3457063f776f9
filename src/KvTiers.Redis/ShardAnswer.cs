using StackExchange.Redis;

namespace KvTiers.Redis;

/// <summary>What a script that evicts tells of its part of the tier.</summary>
/// <param name="Count">Records there are.</param>
/// <param name="Evicted">Records evicted just now.</param>
/// <param name="Next">Hash and score, in turns, of those that go next.</param>
internal sealed record ShardAnswer(long Count, long Evicted, RedisValue[] Next)
{
    public static ShardAnswer Of(RedisResult result)
    {
        var items = (RedisResult[])result!;
        return new((long)items[0], (long)items[1], [.. items.Skip(2).Select(item => (RedisValue)item)]);
    }
}
