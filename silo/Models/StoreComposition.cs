using KvTiers.Sessions.Redis;
using KvTiers.Sessions.Secrets;
using KvTiers.Sessions.Storage;
using KvTiers.Silo.Configuration;

namespace KvTiers.Silo.Models;

/// <summary>Opens the conversation store that the settings ask for.</summary>
internal static class StoreComposition
{
    /// <summary>The store. One on Redis need not be there yet: until it is, stored conversations are refused.</summary>
    /// <exception cref="StartException">Its address, or a key's file, cannot be read.</exception>
    public static async Task<IConversationStore> OpenAsync(SiloOptions options, TimeProvider time, Action<string>? report = null)
    {
        if (options.Store == StoreKind.File)
        {
            return new FileConversationStore(new FileConversationStoreOptions
            {
                Folder = Path.Combine(options.Data, "conversations"),
                Protection = RecordKeys.ForStore(options),
                AcceptUnsigned = options.Records.AcceptUnsigned,
            });
        }

        string address = StoreSettings.AddressOf(options)!;
        try
        {
            return await RedisConversationStore.ConnectAsync(
                new RedisConversationStoreOptions
                {
                    Configuration = address,
                    TimeToLive = options.StoreTtl,
                    Deadline = options.StoreDeadline,
                    Protection = RecordKeys.ForStore(options),
                    AcceptUnsigned = options.Records.AcceptUnsigned,
                    Report = report,
                },
                time);
        }
        catch (ArgumentException e)
        {
            string key = address == options.StoreRedis ? "KvTiers:StoreRedis" : address == options.Orleans.Cluster ? "KvTiers:Cluster" : "KvTiers:Redis";
            throw new StartException(new SettingError(key, address, $"a server's address such as 127.0.0.1:6379 ({Redacted.Message(e.Message, address)})").ToString());
        }
    }
}
