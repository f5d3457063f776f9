namespace KvTiers.Silo.Configuration;

/// <summary>Where conversations are stored.</summary>
internal enum StoreKind
{
    /// <summary>In the data folder: this silo's own.</summary>
    File,

    /// <summary>On Redis: any silo can take any turn.</summary>
    Redis,
}
