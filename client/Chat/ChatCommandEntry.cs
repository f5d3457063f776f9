namespace KvTiers.Cli.Chat;

/// <summary>One command of the chat.</summary>
/// <param name="Name">Its name without the slash.</param>
/// <param name="Arguments">What follows it, as help shows it.</param>
/// <param name="Help">What it does, in one line.</param>
/// <param name="Action">Carries it out; <see langword="null"/> for those that leave.</param>
internal sealed record ChatCommandEntry(string Name, string Arguments, string Help, Func<ChatInput, CancellationToken, Task>? Action);
