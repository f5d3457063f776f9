using KvTiers.Conversations;
using KvTiers.Sessions.Storage;

namespace KvTiers.Sessions.Tests;

/// <summary>A conversation that cannot be read any more can still be deleted, and its name is free again.</summary>
public sealed class DamagedDeletionTests(TinyModel model)
{
    [Fact]
    public async Task ADamagedConversationIsDeletedAndItsNameIsFree()
    {
        using var folder = new TemporaryFolder();
        await using var host = new ConversationHost(model, new FileConversationStore(new() { Folder = folder.Path, Sync = false }));
        await host.Create();
        await host.Create("other");
        Damage(host, "c");
        await Assert.ThrowsAsync<ConversationDamagedException>(() => host.Conversations.GetAsync(ConversationHost.Key()));

        DeleteReceipt receipt = await host.Conversations.DeleteAsync(ConversationHost.Key());
        Assert.Equal(("c", true), (receipt.Conversation, receipt.WasDamaged));
        await Assert.ThrowsAsync<ConversationNotFoundException>(() => host.Conversations.GetAsync(ConversationHost.Key()));
        Assert.Equal(1, (await host.Create()).Version);
        Assert.False((await host.Conversations.DeleteAsync(ConversationHost.Key("other"))).WasDamaged);
    }

    [Fact]
    public async Task OneThatCanBeReadIsNotTakenForDamaged()
    {
        using var folder = new TemporaryFolder();
        var store = new FileConversationStore(new() { Folder = folder.Path, Sync = false });
        await using var host = new ConversationHost(model, store);
        await host.Create();
        Assert.False(await store.TryDeleteDamagedAsync(ConversationHost.Key()));
        Assert.False(await store.TryDeleteDamagedAsync(ConversationHost.Key("nobody")));
        Assert.NotNull(await store.ReadAsync(ConversationHost.Key()));
    }

    // Cut off at the front, so that neither the head nor the length is what it was.
    private static void Damage(ConversationHost host, string id)
    {
        string path = ((FileConversationStore)host.Store).PathOf(ConversationHost.Key(id));
        File.WriteAllBytes(path, File.ReadAllBytes(path)[1..]);
    }
}
