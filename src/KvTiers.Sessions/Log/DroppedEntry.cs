namespace KvTiers.Sessions.Log;

/// <summary>A message that a changed log leaves out.</summary>
/// <param name="Index">Its place among all messages of the conversation.</param>
/// <param name="Entry">The message, or its index among all messages of the conversation as it was.</param>
/// <param name="Version">Version of the turn that left it out.</param>
public readonly record struct DroppedEntry(int Index, LogEntry Entry, long Version);
