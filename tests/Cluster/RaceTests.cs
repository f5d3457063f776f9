using System.Collections.Concurrent;
using System.Globalization;
using KvTiers.Client;
using KvTiers.Conversations;

namespace KvTiers.Cluster.Tests;

/// <summary>Two clients, each on a server of its own, change one conversation at the same moment, over and over.</summary>
/// <remarks>100 rounds; <c>KVTIERS_RACES=1000</c> for another number.</remarks>
public sealed class RaceTests(ITestOutputHelper output)
{
    private const int MostMessages = 12;
    private static readonly int Rounds = int.Parse(Environment.GetEnvironmentVariable("KVTIERS_RACES") ?? "100", CultureInfo.InvariantCulture);
    private static readonly ConversationKey Key = new(KvTiersClientOptions.DefaultTenant, "raced");

    // What each version was seen to hold, by its writer or by a reader; and how often each was acknowledged to a writer.
    private readonly ConcurrentDictionary<long, string[]> _seen = new();
    private readonly ConcurrentBag<long> _acknowledged = [];
    private int _conflicts;

    [Fact]
    public async Task TheHistoryIsSerialNothingIsLostAndNothingDoubled()
    {
        await using SharedStore shared = await SharedStore.StartAsync(2);
        IConversations[] silos = [shared.ClientOf(0), shared.ClientOf(1)];
        _acknowledged.Add((await silos[0].CreateAsync(Key.Tenant, new CreateConversation { Id = Key.Id })).Version);
        for (int round = 0; round < Rounds; round++)
        {
            ConversationView from = await silos[round % 2].GetAsync(Key);
            await Task.WhenAll(ChangeAsync(silos[0], from, $"round {round}, client 0"), ChangeAsync(silos[1], from, $"round {round}, client 1"));
        }

        output.WriteLine($"{Rounds} rounds: {_acknowledged.Count - 1} changes acknowledged, {_conflicts} refused and made again");
        Assert.Equal(Enumerable.Range(1, (2 * Rounds) + 1).Select(version => (long)version), _acknowledged.Order());
        Assert.True(_conflicts >= Rounds / 2, "the two hardly ever met");
        foreach (IConversations silo in silos)
        {
            ConversationView last = await silo.GetAsync(Key);
            Assert.Equal((2 * Rounds) + 1, last.Version);
            See(last.Version, Texts(last));
        }
    }

    // From the version read, or after a refusal from the newest one, until it is acknowledged: what it left must follow from what that version had.
    private async Task ChangeAsync(IConversations silo, ConversationView from, string text)
    {
        while (true)
        {
            See(from.Version, Texts(from));
            ChatMessage[] history = [.. from.Messages.Count >= MostMessages ? [] : from.Messages.Select(message => new ChatMessage(message.Role, message.Content)), new ChatMessage("user", text)];
            try
            {
                TurnCompleted done = await TakeAsync(silo, history, from.Version);
                Assert.Equal(from.Version + 1, done.Version);
                _acknowledged.Add(done.Version);
                See(done.Version, [.. history.Select(message => message.Content!), done.Message.Content]);
                return;
            }
            catch (ConversationConflictException)
            {
                Interlocked.Increment(ref _conflicts);
                from = await silo.GetAsync(Key);
            }
        }
    }

    private static async Task<TurnCompleted> TakeAsync(IConversations silo, IReadOnlyList<ChatMessage> history, long version)
    {
        var request = new TurnRequest
        {
            Mode = TurnMode.History,
            Messages = history,
            ExpectedVersion = version,
            Options = new GenerationOptions { MaxTokens = 4, Temperature = 0 },
        };
        TurnCompleted? completed = null;
        await foreach (TurnEvent one in silo.TurnAsync(Key, request)) completed = one as TurnCompleted ?? completed;
        return completed!;
    }

    private void See(long version, string[] texts) => Assert.Equal(_seen.GetOrAdd(version, texts), texts);

    private static string[] Texts(ConversationView view) => [.. view.Messages.Select(message => message.Content)];
}
