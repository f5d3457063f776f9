using KvTiers.Inference.Scheduling;

namespace KvTiers.Silo.OpenAi;

/// <summary>A checked request for embeddings.</summary>
/// <param name="Inputs">The token ids of each input.</param>
/// <param name="Pooling">How one vector is made of an input's states.</param>
/// <param name="IsBase64">Whether vectors are sent as bytes in base64.</param>
internal sealed record EmbeddingsCall(IReadOnlyList<int[]> Inputs, EmbeddingPooling Pooling, bool IsBase64);
