using KvTiers.Inference.Model;

namespace KvTiers.Inference.Tests.Scheduling;

/// <summary>A model that has logits and nothing else, as another engine's may be.</summary>
internal sealed class PlainModel(LanguageModel inner) : LanguageModel
{
    public override ModelConfig Config => inner.Config;

    public override ReadOnlyMemory<byte> Fingerprint => inner.Fingerprint;

    public override void Forward(StepBatch batch) => inner.Forward(batch);

    public override Task MoveToHugePagesAsync(CancellationToken cancellationToken) => inner.MoveToHugePagesAsync(cancellationToken);

    // The inner model is the fixture's.
    public override void Dispose()
    {
    }
}
