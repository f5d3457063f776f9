using KvTiers.Conversations;
using KvTiers.Orleans.Placement;

namespace KvTiers.Orleans.Tests.Placement;

public sealed class PlacementOpeningTests
{
    [Fact]
    public void WholeMessagesGoAsFarAsThereIsRoom()
    {
        PlacementOpening opening = PlacementOpening.Of([new("system", new string('a', 10_000)), new("user", new string('b', 6_384)), new("assistant", "c")])!;
        Assert.Equal(["system", "user"], opening.Roles);
        Assert.Equal([10_000, 6_384], opening.Contents.Select(content => content.Length));
    }

    [Fact]
    public void OfAFirstMessageThatIsTooLongItsBeginningGoes()
    {
        PlacementOpening opening = PlacementOpening.Of([new("system", new string('a', 16_383) + "😀 and on"), new("user", "b")])!;
        Assert.Equal(["system"], opening.Roles);
        Assert.Equal(16_383, Assert.Single(opening.Contents).Length);
    }

    [Fact]
    public void WithoutMessagesThereIsNone()
    {
        Assert.Null(PlacementOpening.Of(null));
        Assert.Null(PlacementOpening.Of([]));
        Assert.Null(PlacementOpening.Of([new ChatMessage(null!, "x")]));
    }

    [Fact]
    public void ItGoesBesideTheCallAndNoFurther()
    {
        using (PlacementOpening.Tell(PlacementOpening.Of([new("user", "x")])))
            Assert.Single(RequestContext.Keys);
        Assert.Empty(RequestContext.Keys);
    }
}
