using KvTiers.Blocks;

namespace KvTiers.Tiers.Encodings;

/// <summary>The bytes as they are.</summary>
internal sealed class HotCodec(BlockShape shape, BlockEncoding encoding) : BlockCodec(shape, encoding, shape.BytesPerBlock)
{
    public override bool IsLossless => true;

    private protected override void EncodeCore(ReadOnlySpan<byte> block, Span<byte> encoded) => block.CopyTo(encoded);

    private protected override void DecodeCore(ReadOnlySpan<byte> encoded, Span<byte> block) => encoded.CopyTo(block);

    private protected override uint EncodeAndSumCore(ReadOnlySpan<byte> block, Span<byte> encoded) => Crc32C.Copy(block, encoded);

    private protected override bool TryDecodeCore(ReadOnlySpan<byte> encoded, uint checksum, Span<byte> block) =>
        Crc32C.Copy(encoded, block) == checksum;
}
