using KvTiers.Conversations;
using KvTiers.Sessions.Hosting;

namespace KvTiers.Sessions.Tests.Hosting;

public sealed class ReturnPredictorTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly ConversationKey A = new("tests", "a");
    private static readonly ConversationKey B = new("tests", "b");

    [Theory]
    [InlineData(60 + 49, false)]
    [InlineData(60 + 50, true)]
    [InlineData(60 + 180, true)]
    [InlineData(60 + 181, false)]
    public void AConversationIsDueFromAheadOfItsReturnUntilItIsTwiceItsGapLate(int seconds, bool due)
    {
        var predictor = new ReturnPredictor(TimeSpan.FromSeconds(10), capacity: 8);
        Turn(predictor, A, 0);
        Assert.Empty(predictor.TakeDue(At(30), 8)); // one turn is no habit
        Turn(predictor, A, 60);
        Assert.Equal(due, predictor.TakeDue(At(seconds), 8).Count == 1);
    }

    [Fact]
    public void ItIsGivenOncePerTurnAndNotDuringOne()
    {
        var predictor = new ReturnPredictor(TimeSpan.FromSeconds(10), capacity: 8);
        Turn(predictor, A, 0);
        Turn(predictor, A, 60);
        Assert.Equal([A], predictor.TakeDue(At(115), 8));
        Assert.Empty(predictor.TakeDue(At(116), 8));
        predictor.TurnStarted(A, At(120));
        Assert.Empty(predictor.TakeDue(At(120), 8));
        predictor.TurnEnded(A, At(120));
        Assert.Equal([A], predictor.TakeDue(At(175), 8));
    }

    [Fact]
    public void ANewGapCountsForHalf()
    {
        var predictor = new ReturnPredictor(TimeSpan.FromSeconds(1), capacity: 8);
        Turn(predictor, A, 0);
        Turn(predictor, A, 60);
        Turn(predictor, A, 80); // 60 and 20: 40
        Assert.Empty(predictor.TakeDue(At(80 + 38), 8));
        Assert.Equal([A], predictor.TakeDue(At(80 + 39), 8));
    }

    [Fact]
    public void TheFirstExpectedComesFirstAndTheLongestQuietIsForgotten()
    {
        var predictor = new ReturnPredictor(TimeSpan.FromSeconds(10), capacity: 2);
        Turn(predictor, A, 0);
        Turn(predictor, A, 60);
        Turn(predictor, B, 30);
        Turn(predictor, B, 62);
        Assert.Equal([B], predictor.TakeDue(At(118), atMost: 1));
        Assert.Equal([A], predictor.TakeDue(At(118), atMost: 1));
        Turn(predictor, new("tests", "c"), 120);
        Turn(predictor, B, 121);
        predictor.TurnStarted(A, At(130)); // known no more, so it has no gap
        predictor.TurnEnded(A, At(130));
        Assert.DoesNotContain(A, predictor.TakeDue(At(185), 8));
    }

    private static void Turn(ReturnPredictor predictor, ConversationKey key, int seconds)
    {
        predictor.TurnStarted(key, At(seconds));
        predictor.TurnEnded(key, At(seconds));
    }

    private static DateTimeOffset At(int seconds) => Start + TimeSpan.FromSeconds(seconds);
}
