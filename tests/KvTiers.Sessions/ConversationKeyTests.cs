using KvTiers.Conversations;

namespace KvTiers.Sessions.Tests;

public sealed class ConversationKeyTests
{
    [Theory]
    [InlineData("a")]
    [InlineData("A.b_c:d-9")]
    public void TheAllowedCharactersMakeAKey(string id) => Assert.Equal(id, new ConversationKey("tenant", id).Id);

    [Theory]
    [InlineData("")]
    [InlineData("a/b")]
    [InlineData("a b")]
    [InlineData("é")]
    public void OtherTextIsRefusedInEitherPart(string text)
    {
        Assert.Equal("id", Assert.Throws<ArgumentException>(() => new ConversationKey("tenant", text)).ParamName);
        Assert.Equal("tenant", Assert.Throws<ArgumentException>(() => new ConversationKey(text, "id")).ParamName);
    }

    [Fact]
    public void TheLengthEndsAt128()
    {
        Assert.Equal(128, new ConversationKey("t", new string('x', 128)).Id.Length);
        Assert.Throws<ArgumentException>(() => new ConversationKey("t", new string('x', 129)));
    }
}
