using KvTiers.Inference.Model;

namespace KvTiers.Inference.Tests.Scheduling;

/// <summary>A model that lets a test look at each step, hold it up, or make it fail.</summary>
internal sealed class HookedModel(LanguageModel inner, Action<StepBatch> beforeStep) : LanguageModel
{
    public override ModelConfig Config => inner.Config;

    public override ReadOnlyMemory<byte> Fingerprint => inner.Fingerprint;

    public override bool HasHiddenStates => inner.HasHiddenStates;

    public override void Forward(StepBatch batch)
    {
        beforeStep(batch);
        inner.Forward(batch);
    }

    public override Task MoveToHugePagesAsync(CancellationToken cancellationToken) => inner.MoveToHugePagesAsync(cancellationToken);

    // The inner model is the fixture's.
    public override void Dispose()
    {
    }
}
