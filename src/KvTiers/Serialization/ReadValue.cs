using MessagePack;

namespace KvTiers.Serialization;

/// <summary>Reads what is next.</summary>
/// <typeparam name="T">What it is.</typeparam>
/// <param name="reader">Stands before it, and then after it.</param>
internal delegate T ReadValue<out T>(ref MessagePackReader reader);
