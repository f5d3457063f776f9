using KvTiers.Conversations;
using KvTiers.Inference.Scheduling;
using KvTiers.Inference.Tokens;
using KvTiers.Orleans.Serialization;

namespace KvTiers.Orleans.Tests.Serialization;

public sealed class ConversationFaultTests
{
    private static readonly ConversationKey Key = new("tenant", "one");

    public static TheoryData<Exception> Known => [
        new ConversationNotFoundException(Key),
        new ConversationConflictException(Key, "It is at version 3, not 2.", 2, 3),
        new ConversationConflictException(Key, "It is taken."),
        new ConversationDamagedException("tenant/one", "record 2 cannot be read"),
        new PromptTooLongException(5000, 2047, "the model's context holds 2048 tokens"),
        new ConversationLimitException("tenant", 5),
        new EngineBusyException(256),
        new EngineBusyException(256, TimeSpan.FromMilliseconds(1500)),
        new TemplateException(3, "roles must alternate") { IsRefusal = true },
        new ArgumentException("MaxTokens is 0; it must be 1 or more.", "MaxTokens"),
        new ArgumentException("No parameter."),
        new ConversationStoreUnavailableException("The store did not answer."),
        new ConversationUnreachableException("The silo went away."),
        new IOException("The store did not answer."),
    ];

    [Theory]
    [MemberData(nameof(Known))]
    public void AnExceptionIsTheSameOnTheOtherSide(Exception exception)
    {
        Exception there = SessionsCodecTests.Travel(ConversationFault.From(exception)!).ToException(Key);

        Assert.Equal(exception.GetType(), there.GetType());
        Assert.Equal(exception.Message, there.Message);
        foreach (System.Reflection.PropertyInfo property in exception.GetType().GetProperties().Where(property => property.DeclaringType != typeof(Exception)))
            Assert.Equal(property.GetValue(exception), property.GetValue(there));
    }

    [Fact]
    public void AnArgumentOutOfRangeBecomesAnArgumentWithItsMessage()
    {
        var exception = new ArgumentOutOfRangeException("index", 7, "index is 7; the conversation has 2 messages.");
        var there = Assert.IsType<ArgumentException>(ConversationFault.From(exception)!.ToException(Key));
        Assert.Equal("index is 7; the conversation has 2 messages. (Parameter 'index')", there.Message);
    }

    [Fact]
    public void AHostThatStopsIsASiloThatWentAway() =>
        Assert.IsType<ConversationUnreachableException>(ConversationFault.From(new ObjectDisposedException("x"))!.ToException(Key));

    [Fact]
    public void OthersTravelAsTheyAre()
    {
        Assert.Null(ConversationFault.From(new OperationCanceledException()));
        Assert.Null(ConversationFault.From(new InvalidOperationException()));
    }
}
