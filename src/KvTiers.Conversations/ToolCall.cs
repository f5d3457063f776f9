namespace KvTiers.Conversations;

/// <summary>One call of a function, as an assistant asked for it.</summary>
/// <param name="Id">Names the call; its result refers to it.</param>
/// <param name="Name">The function's name.</param>
/// <param name="Arguments">The arguments as the model wrote them: the text of a JSON object, or the beginning of one when the answer was cut off.</param>
public sealed record ToolCall(string Id, string Name, string Arguments);
