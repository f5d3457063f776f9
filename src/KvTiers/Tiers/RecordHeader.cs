using KvTiers.Prefix;

namespace KvTiers.Tiers;

/// <summary>What a record's header says, once its checksum is right.</summary>
/// <param name="Hash">The block it answers for.</param>
/// <param name="Attributes">What is kept beside it.</param>
/// <param name="Sequence">Its place in the order of writing.</param>
/// <param name="PayloadChecksum">CRC-32C of the encoded block.</param>
internal readonly record struct RecordHeader(BlockHash Hash, BlockAttributes Attributes, long Sequence, uint PayloadChecksum);
