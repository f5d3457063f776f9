namespace KvTiers.Inference.Tokens;

/// <summary>A chat that a template cannot write.</summary>
/// <param name="Chat">What the chat consists of.</param>
/// <param name="Error">Why not.</param>
public sealed record TemplateFault(string Chat, TemplateException Error);
