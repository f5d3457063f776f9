namespace KvTiers.Silo.OpenAi;

/// <summary>What a call calls.</summary>
/// <param name="Name">The function's name; in a stream in the call's first piece only.</param>
/// <param name="Arguments">The text of a JSON object; in a stream a piece of it.</param>
internal sealed record ChatFunctionCall(string? Name, string Arguments);
