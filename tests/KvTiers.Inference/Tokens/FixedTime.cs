namespace KvTiers.Inference.Tests.Tokens;

/// <summary>A clock that stands still, in a zone without offset.</summary>
internal sealed class FixedTime(DateTimeOffset now) : TimeProvider
{
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override DateTimeOffset GetUtcNow() => now;
}
