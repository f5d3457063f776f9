using KvTiers.Inference.Model;
using KvTiers.Tests.Shared;

namespace KvTiers.Sessions.Tests;

/// <summary>A model that stops after so many steps when told, so that a test can act in the middle of a turn.</summary>
/// <param name="inner">What computes.</param>
/// <param name="contextTokens">Its context, shorter than the inner one's; null = the inner one's.</param>
internal sealed class SteppedModel(LanguageModel inner, int? contextTokens = null) : LanguageModel
{
    private readonly Lock _lock = new();
    private readonly Queue<int> _said = new();
    private TaskCompletionSource? _stopped;
    private int _stepsLeft;
    private bool _isSlow;

    public override ModelConfig Config { get; } = contextTokens is { } tokens ? inner.Config with { ContextLength = tokens } : inner.Config;

    public override ReadOnlyMemory<byte> Fingerprint => inner.Fingerprint;

    /// <summary>The next tokens that are asked for are these, whatever the model would say.</summary>
    public void Say(IEnumerable<int> tokens)
    {
        lock (_lock)
        {
            foreach (int token in tokens)
                _said.Enqueue(token);
        }
    }

    /// <summary>Runs so many more steps, and then stands still until <see cref="Go"/>.</summary>
    public void StopAfter(int steps)
    {
        lock (_lock)
        {
            _isSlow = false;
            _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _stepsLeft = steps;
        }
    }

    public void Go()
    {
        lock (_lock)
        {
            _stopped?.TrySetResult();
            _stopped = null;
            _isSlow = false;
        }
    }

    /// <summary>Goes on so slowly that whoever cancels a long turn is in time.</summary>
    public void GoSlowly()
    {
        lock (_lock)
        {
            Go();
            _isSlow = true;
        }
    }

    public override void Forward(StepBatch batch)
    {
        Task? stopped = null;
        lock (_lock)
        {
            if (_stopped is not null && _stepsLeft-- <= 0)
                stopped = _stopped.Task;
        }

        stopped?.Wait(HangLimit.Time);
        if (_isSlow)
            Thread.Sleep(5);
        inner.Forward(batch);
        lock (_lock)
        {
            for (int i = 0; i < batch.Segments.Length; i++)
            {
                if (batch.Segments[i].LogitRowCount > 0 && _said.TryDequeue(out int token))
                    batch.Logits(i, batch.Segments[i].LogitRowCount - 1)[token] = 1e6f;
            }
        }
    }

    public override Task MoveToHugePagesAsync(CancellationToken cancellationToken) => inner.MoveToHugePagesAsync(cancellationToken);

    public override void Dispose() => inner.Dispose();
}
