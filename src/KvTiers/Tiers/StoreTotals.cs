namespace KvTiers.Tiers;

/// <summary>What a store has done since it was opened.</summary>
/// <param name="EvictedRecords">Records forgotten to make room.</param>
/// <param name="ReadBytes">Bytes of records given out.</param>
/// <param name="WrittenBytes">Bytes of records stored; a record that was there already adds none.</param>
public readonly record struct StoreTotals(long EvictedRecords, long ReadBytes, long WrittenBytes);
