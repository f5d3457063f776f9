namespace KvTiers.Silo.Turns;

/// <summary>What a running answer reports, whether it goes through a conversation or straight to the engine: tokens, then one end.</summary>
internal abstract record AnswerEvent;
