using KvTiers.Tiers;

namespace KvTiers.Silo.Models;

/// <summary>Puts something around a tier's store before the tier is made of it. Registered by whoever wants to see or disturb what a store does.</summary>
/// <param name="tier">The tier's name.</param>
/// <param name="store">Its store.</param>
internal delegate IRecordStore StoreDecorator(string tier, IRecordStore store);
