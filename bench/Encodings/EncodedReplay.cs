using KvTiers.Blocks;
using KvTiers.Inference.Model;
using KvTiers.Prefix;
using KvTiers.Tiers;
using KvTiers.Tiers.Encodings;

namespace KvTiers.Bench.Encodings;

/// <summary>
/// Answers a dialogue's last question on keys and values that have been through a tier of one encoding: computed, evicted into memory
/// encoded, and loaded back, through the same stack of tiers that a server uses.
/// </summary>
internal sealed class EncodedReplay : IAsyncDisposable
{
    private readonly LanguageModel _model;
    private readonly BlockCodec _codec;
    private readonly TieredCache _tiers;
    private readonly KvCache _cache;
    private readonly StepBatch _batch;

    public EncodedReplay(LanguageModel model, BlockEncoding encoding)
    {
        _model = model;
        BlockLayout layout = model.Config.CreateLayout(KvFormat.F32);
        _codec = BlockCodec.Create(layout, encoding);
        var options = new TieredCacheOptions
        {
            Hot = new KvCacheOptions { HotBytes = 256L << 20 },
            Tiers = [TierOptions.Ram(128L << 20) with { Encoding = encoding }],
            Promotion = PromotionPolicy.Always,
        };
        _tiers = TieredCache.OpenAsync(layout, options).GetAwaiter().GetResult();
        _cache = _tiers.Cache;
        _batch = new StepBatch(layout, model.Config.Vocabulary);
    }

    /// <summary>Bytes of K and V of one token as stored, scales counted.</summary>
    public double BytesPerToken => (double)_codec.EncodedBytes / _codec.Shape.BlockSize;

    /// <summary>Logits of the lossless answer's tokens, teacher-forced, and of the one that ends it.</summary>
    /// <returns>[Answer.Length + 1][Vocabulary]</returns>
    public async Task<float[][]> LogitsAsync(RecordedDialogue dialogue, int number, CancellationToken cancel)
    {
        // A namespace of its own, so that no block has been through the tier twice.
        BlockHash root = BlockHash.Root(_model.Fingerprint.Span, _cache.Shape, BitConverter.GetBytes(number));
        int[] earlier = dialogue.Prompt[..dialogue.EarlierTokens];
        using (BlockLease lease = _cache.Acquire(root, earlier))
        {
            Forward(lease, earlier, logitRows: 0);
            _cache.Append(lease, earlier);
            _cache.Publish(lease);
        }

        while (_cache.EvictAhead(int.MaxValue, atMost: 64) > 0)
            await _cache.EvictionsAsync();

        using BlockLease loaded = _cache.Acquire(root, dialogue.Prompt);
        PromotionResult promoted = await _tiers.PromoteAsync(loaded, dialogue.Prompt, cancel);
        if (promoted.TokenCount != earlier.Length || loaded.TokenCount != earlier.Length)
            throw new InvalidOperationException($"{promoted.TokenCount} of {earlier.Length} tokens came back from the tier.");

        int[] rest = [.. dialogue.Prompt[earlier.Length..], .. dialogue.Answer];
        Forward(loaded, rest, dialogue.Answer.Length + 1);
        return [.. Enumerable.Range(0, dialogue.Answer.Length + 1).Select(row => _batch.Logits(0, row).ToArray())];
    }

    public async ValueTask DisposeAsync()
    {
        _batch.Dispose();
        await _tiers.DisposeAsync();
    }

    private void Forward(BlockLease lease, int[] tokens, int logitRows)
    {
        if (!_cache.TryReserve(lease, tokens.Length))
            throw new InvalidOperationException("The hot tier is too small for one dialogue.");

        _batch.Clear();
        _batch.Add(lease.Table, tokens, lease.TokenCount, logitRows);
        _model.Forward(_batch);
    }
}
