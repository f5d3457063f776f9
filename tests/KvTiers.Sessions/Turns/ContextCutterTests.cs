using KvTiers.Conversations;
using KvTiers.Sessions.Turns;

namespace KvTiers.Sessions.Tests.Turns;

public sealed class ContextCutterTests
{
    [Theory]
    [InlineData(10, null)]
    [InlineData(11, "s----ua")]
    public void APromptIsCutWhenItLeavesTooLittleRoomForTheAnswer(int otherTokens, string? kept) =>
        Assert.Equal(kept, Chosen("suauaua", ContextPolicy.DropOldest, max: 80, target: 40, otherTokens));

    [Theory]
    [InlineData(ContextPolicy.Refuse, null)]
    [InlineData(ContextPolicy.DropOldest, "s------uau")]
    [InlineData(ContextPolicy.Summarize, "s------uau")]
    [InlineData(ContextPolicy.KeepEnds, "sua------u")]
    public void ThePolicySaysWhichTurnsGo(ContextPolicy policy, string? kept) =>
        Assert.Equal(kept, Chosen("suauauauau", policy, max: 90, target: 40));

    [Fact]
    public void WhatComesBeforeTheFirstTurnAndSystemMessagesBetweenTurnsStay() =>
        Assert.Equal("saa--s--uau", Chosen("saauasuauau", ContextPolicy.DropOldest, max: 100, target: 70));

    [Fact]
    public void ATurnWithAPinnedMessageStaysWhole() =>
        Assert.Equal("s--uA----ua", Chosen("suauAuauaua", ContextPolicy.DropOldest, max: 100, target: 50));

    [Fact]
    public void OfANewestTurnThatIsTooMuchTheOldestAnswersGoWithTheResultsOfTheirCalls() =>
        Assert.Equal("su-----att", Chosen("suattatatt", ContextPolicy.DropOldest, max: 90, target: 50));

    [Fact]
    public void TheNewestQuestionStaysHoweverLongItIs()
    {
        Assert.Null(Chosen("su", ContextPolicy.DropOldest, max: 80, target: 40, otherTokens: 200));
        Assert.Equal("s--u", Chosen("suau", ContextPolicy.DropOldest, max: 80, target: 40, otherTokens: 200));
    }

    [Fact]
    public void NoMoreThanHalfOfTheContextIsHeldFree()
    {
        var room = new ContextRoom(100, 1_000_000, 0.5);
        Assert.Equal((50, 50, 25), (room.AnswerReserve, room.MaxPromptTokens, room.CutPromptTokens));
    }

    [Fact]
    public void AReplayedChatIsCutWhereItsRequestsWereCutOneAfterTheOther()
    {
        string chat = "s" + string.Concat(Enumerable.Repeat("ua", 13)) + "u";
        bool[]? last = null;
        int cuts = 0;
        for (int count = 2; count <= chat.Length; count += 2)
        {
            bool[]? kept = ContextCutter.Replay(Pieces(chat[..count]), 0, ContextPolicy.DropOldest, Room(max: 80, target: 40));
            int dropped = kept?.Count(one => !one) ?? 0;
            int before = last?.Count(one => !one) ?? 0;
            Assert.True((count - dropped) * 10 <= 80);
            if (dropped == before)
                Assert.Equal(last, kept?[..last!.Length]);
            else
                Assert.Equal(40, (count - dropped) * 10);
            cuts += dropped == before ? 0 : 1;
            last = kept;
        }

        Assert.Equal(4, cuts);
    }

    // s, u, a, t: messages of 10 tokens by role; a capital is pinned; - is left out.
    private static string? Chosen(string chat, ContextPolicy policy, int max, int target, int otherTokens = 0)
    {
        bool[]? kept = ContextCutter.Choose(Pieces(chat), otherTokens, policy, Room(max, target));
        return kept is null ? null : string.Concat(chat.Select((role, i) => kept[i] ? role : '-'));
    }

    private static ContextRoom Room(int max, int target) => new(max, 0, (target + 0.5) / max);

    private static ContextPiece[] Pieces(string chat) => [.. chat.Select(role => new ContextPiece(
        char.ToLowerInvariant(role) switch { 's' => "system", 'u' => "user", 'a' => "assistant", _ => "tool" }, 10, char.IsUpper(role)))];
}
