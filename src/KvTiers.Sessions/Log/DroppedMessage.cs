namespace KvTiers.Sessions.Log;

/// <summary>A message that prompts leave out, because the context was full. The conversation keeps it.</summary>
/// <param name="Index">Its place among all messages of the conversation.</param>
/// <param name="Message">The message, with the tokens that it had.</param>
/// <param name="Version">Version of the turn that left it out.</param>
public sealed record DroppedMessage(int Index, LoggedMessage Message, long Version);
