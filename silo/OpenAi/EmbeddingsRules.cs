using KvTiers.Inference.Scheduling;
using KvTiers.Silo.Http;
using KvTiers.Silo.Models;

namespace KvTiers.Silo.OpenAi;

/// <summary>Checks a request for embeddings. Every fault is a 400 that names the parameter.</summary>
internal static class EmbeddingsRules
{
    private const int MostInputs = 2048;

    /// <summary>The request, checked, its inputs encoded.</summary>
    /// <exception cref="ApiException">Something is missing, out of range, or not supported.</exception>
    public static EmbeddingsCall Check(EmbeddingsRequest request, LoadedModel model)
    {
        if (!model.Weights.HasHiddenStates)
            throw ApiException.BadRequest("The engine that computes this model gives no embeddings; KvTiers:Engine=kvtiers does.", "model", "unsupported_model");
        if (request.EncodingFormat is not (null or "float" or "base64"))
            throw ApiException.BadRequest("'encoding_format' must be float or base64.", "encoding_format");
        if (request.Dimensions is { } dimensions && dimensions != model.Config.Hidden)
            throw ApiException.BadRequest($"'dimensions' is {dimensions}; it must be {model.Config.Hidden}, as this model's vectors are.", "dimensions");
        EmbeddingPooling pooling = request.Pooling switch
        {
            null or "mean" => EmbeddingPooling.Mean,
            "last" => EmbeddingPooling.LastToken,
            _ => throw ApiException.BadRequest("'pooling' must be mean or last.", "pooling"),
        };
        return new EmbeddingsCall(TokenInput.Read(request.Input, "input", MostInputs, parseSpecial: false, model.Config, model.Tokenizer), pooling, request.EncodingFormat == "base64");
    }
}
