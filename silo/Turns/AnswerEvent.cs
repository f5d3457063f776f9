namespace KvTiers.Silo.Turns;

/// <summary>What a running answer reports, whether it goes through a conversation or straight to the engine: where it is known, that a prompt is computed; tokens; then one end.</summary>
internal abstract record AnswerEvent;
