using System.Reflection;
using KvTiers.Inference.Tokens;
using KvTiers.Orleans.Clients;
using KvTiers.Orleans.Grains;
using KvTiers.Orleans.Streaming;
using KvTiers.Sessions;
using static KvTiers.Orleans.Tests.Streaming.ScriptedTurn;

namespace KvTiers.Orleans.Tests.Clients;

public sealed class ClusterConversationsTests
{
    /// <summary>The second fetch is sent with the call that begins the turn, and may be there first.</summary>
    [Fact]
    public async Task AFetchThatOvertookTheBeginningIsMadeAgain()
    {
        int seconds = 0;
        IConversationGrain grain = Proxy<IConversationGrain>((method, arguments) => (method, arguments) switch
        {
            ("TurnAsync", _) => Task.FromResult(TurnBatch.Of([Started])),
            ("NextAsync", [_, 1]) when seconds++ == 0 => Task.FromResult(TurnBatch.Over),
            ("NextAsync", [_, 1]) => Task.FromResult(TurnBatch.Of([Token(1)])),
            ("NextAsync", [_, 2]) => Task.FromResult(TurnBatch.Of([Completed])),
            _ => Task.FromResult(TurnBatch.Over),
        });
        Assert.Equal([Started, Token(1), Completed], await EventsAsync(grain));
        Assert.Equal(2, seconds);
    }

    [Fact]
    public async Task ATurnOfWhichNothingMoreIsKnownIsAFault()
    {
        int seconds = 0;
        IConversationGrain grain = Proxy<IConversationGrain>((method, arguments) => (method, arguments) switch
        {
            ("TurnAsync", _) => Task.FromResult(TurnBatch.Of([Started])),
            ("NextAsync", [_, 1]) => Counted(ref seconds),
            ("LeaveAsync", _) => Task.CompletedTask,
            _ => Task.FromResult(TurnBatch.Over),
        });
        await Assert.ThrowsAsync<ConversationUnreachableException>(() => EventsAsync(grain));
        Assert.Equal(2, seconds);

        static Task<TurnBatch> Counted(ref int count)
        {
            count++;
            return Task.FromResult(TurnBatch.Over);
        }
    }

    private static async Task<List<TurnEvent>> EventsAsync(IConversationGrain grain)
    {
        var conversations = new ClusterConversations(Proxy<IGrainFactory>((_, _) => grain));
        return await conversations.TurnAsync(OrleansCluster.Key("c"), new TurnRequest { Messages = [new ChatMessage("user", "Hello")] }).ToListAsync();
    }

    private static T Proxy<T>(Func<string, object?[], object?> answer)
        where T : class
    {
        T proxy = DispatchProxy.Create<T, Scripted>();
        ((Scripted)(object)proxy).Answer = answer;
        return proxy;
    }

    /// <summary>Answers every call by its name.</summary>
    internal class Scripted : DispatchProxy
    {
        public Func<string, object?[], object?> Answer { get; set; } = (_, _) => null;

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => Answer(targetMethod!.Name, args!);
    }
}
