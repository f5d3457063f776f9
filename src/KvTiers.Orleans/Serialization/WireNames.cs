using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using KvTiers.Conversations;
using Orleans.Serialization.Configuration;

namespace KvTiers.Orleans.Serialization;

/// <summary>What the records of <c>KvTiers.Conversations</c> are called between silos.</summary>
/// <remarks>
/// A name stays with its record, wherever the type moves, so that silos of two builds understand each other. A record that is not named does not travel.
/// The types of this assembly have their names beside them.
/// </remarks>
internal static class WireNames
{
    /// <summary>Records that travel as JSON, through <see cref="SessionsCodec"/>.</summary>
    public static IReadOnlyDictionary<Type, string> Json { get; } = new Dictionary<Type, string>
    {
        [typeof(ConversationPage)] = "kvt.conversation-page",
        [typeof(ConversationSummary)] = "kvt.conversation-summary",
        [typeof(ConversationView)] = "kvt.conversation-view",
        [typeof(CreateConversation)] = "kvt.create-conversation",
        [typeof(DeleteReceipt)] = "kvt.delete-receipt",
        [typeof(EditReceipt)] = "kvt.edit-receipt",
        [typeof(EditRequest)] = "kvt.edit-request",
        [typeof(Explanation)] = "kvt.explanation",
        [typeof(ForkRequest)] = "kvt.fork-request",
        [typeof(PinReceipt)] = "kvt.pin-receipt",
        [typeof(TokenLogProbView)] = "kvt.token-log-prob",
        [typeof(WarmReceipt)] = "kvt.warm-receipt",
    };

    /// <summary>Records on the way of every turn, which travel member by member, through a surrogate each.</summary>
    public static IReadOnlyDictionary<Type, string> Surrogates { get; } = new Dictionary<Type, string>
    {
        [typeof(GenerationOptions)] = "kvt.generation-options",
        [typeof(TurnCompleted)] = "kvt.turn-completed",
        [typeof(TurnRequest)] = "kvt.turn-request",
        [typeof(TurnStarted)] = "kvt.turn-started",
    };

    /// <summary>A member that nothing can stand in for.</summary>
    /// <exception cref="FormatException">The sender did not send it.</exception>
    public static T Need<T>([NotNull] T? value, [CallerArgumentExpression(nameof(value))] string member = "")
        where T : class => value ?? throw new FormatException($"A message between silos lacks '{member[(member.LastIndexOf('.') + 1)..]}'.");

    /// <summary>Makes the names known to the serializer.</summary>
    public static void Register(TypeManifestOptions manifest)
    {
        manifest.WellKnownTypeAliases["kvt.sessions"] = typeof(SessionsCodec);
        foreach ((Type record, string name) in Json.Concat(Surrogates))
            manifest.WellKnownTypeAliases[name] = record;
    }
}
