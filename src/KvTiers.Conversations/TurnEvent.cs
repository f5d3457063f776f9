using System.Text.Json.Serialization;

namespace KvTiers.Conversations;

/// <summary>
/// What a running turn reports: one <see cref="TurnStarted"/>, a <see cref="TurnToken"/> per generated token, one <see cref="TurnCompleted"/>.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(TurnStarted), "started")]
[JsonDerivedType(typeof(TurnToken), "token")]
[JsonDerivedType(typeof(TurnCompleted), "completed")]
public abstract record TurnEvent;
