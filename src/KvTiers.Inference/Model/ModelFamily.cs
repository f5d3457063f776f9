namespace KvTiers.Inference.Model;

/// <summary>How the configuration of one architecture is read.</summary>
/// <param name="ModelType">Its <c>model_type</c>, for files that name no architecture.</param>
/// <param name="Read">Reads it.</param>
/// <param name="Harmless">Its properties that change no result, beside <see cref="HarmlessProperties"/>.</param>
internal sealed record ModelFamily(string ModelType, Func<JsonProperties, string, ModelConfig> Read, params string[] Harmless);
