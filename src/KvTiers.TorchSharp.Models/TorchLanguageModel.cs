using System.Security.Cryptography;
using System.Text;
using KvTiers.Inference.Kernels;
using KvTiers.Inference.Model;
using static TorchSharp.torch;

namespace KvTiers.TorchSharp.Models;

/// <summary>Models in TorchSharp as an engine that the scheduler runs, as <c>docs/engine.md</c> says what one must do.</summary>
/// <remarks>
/// Sequence by sequence, and K and V of earlier steps are read out of their blocks in each. Weights and arithmetic are float32, whatever the file holds. libtorch
/// chooses its kernels by shape, so a row's bits may depend on the step it is in.
/// </remarks>
public sealed class TorchLanguageModel : LanguageModel
{
    private readonly TorchModel _model;
    private readonly byte[] _fingerprint;

    private TorchLanguageModel(TorchModel model, byte[] fingerprint)
    {
        _model = model;
        _fingerprint = fingerprint;
    }

    /// <inheritdoc/>
    public override ModelConfig Config => _model.Config;

    /// <inheritdoc/>
    public override ReadOnlyMemory<byte> Fingerprint => _fingerprint;

    /// <summary>Reads a Hugging Face folder: <c>config.json</c> and <c>*.safetensors</c>.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="threads">Threads that libtorch computes with, in the whole process; 1 or more.</param>
    /// <exception cref="ModelFormatException">A file is missing, malformed, or asks for what is not computed.</exception>
    /// <exception cref="TypeInitializationException">libtorch is not there or does not load.</exception>
    public static TorchLanguageModel Open(string folder, int threads)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(threads);
        set_num_threads(threads);
        return new TorchLanguageModel(TorchModel.Load(folder), FingerprintOf(folder));
    }

    /// <summary>32 bytes: SHA-256 of the folder's shape and weights, and of what multiplies them here.</summary>
    /// <param name="folder">A Hugging Face folder.</param>
    public static byte[] FingerprintOf(string folder)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"TorchSharp {__version__} float32\n"));
        foreach (string file in Directory.GetFiles(folder, "*.safetensors").Append(Path.Combine(folder, "config.json")).Order(StringComparer.Ordinal))
        {
            using FileStream stream = File.OpenRead(file);
            hash.AppendData(SHA256.HashData(stream));
        }

        return hash.GetHashAndReset();
    }

    /// <inheritdoc/>
    public override void Forward(StepBatch batch)
    {
        Check(batch);
        batch.ReserveLogits();
        for (int i = 0; i < batch.Segments.Length; i++)
        {
            StepSegment segment = batch.Segments[i];
            using var past = new BlockPast(Config, batch.Layout, segment.Table, segment.StartPosition);
            using Tensor logits = _model.Forward(batch.TokenIds.Slice(segment.FirstRow, segment.RowCount), past, segment.LogitRowCount);
            for (int row = 0; row < segment.LogitRowCount; row++)
            {
                using Tensor one = logits[0, row];
                one.data<float>().CopyTo(batch.Logits(i, row));
            }
        }
    }

    /// <inheritdoc/>
    public override Task MoveToHugePagesAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public override void Dispose() => _model.Dispose();
}
