namespace KvTiers.Inference.Scheduling;

/// <summary>A piece of work for one sequence that is about to begin. A test makes it throw there (<see cref="Engine.BeforeStage"/>).</summary>
internal enum EngineStage
{
    /// <summary>Taking it from the caller into the queue.</summary>
    Enqueue,

    /// <summary>Looking for what is hot of it, and for room.</summary>
    Admit,

    /// <summary>Giving its lease to the colder tiers.</summary>
    HandOver,

    /// <summary>Taking its lease back from them.</summary>
    TakeBack,

    /// <summary>Picking up what another sequence has computed for it.</summary>
    TakeOverPrefix,

    /// <summary>Making room for its next tokens.</summary>
    MakeRoom,

    /// <summary>Taking its blocks for another one.</summary>
    GiveWay,

    /// <summary>Putting its rows into the step.</summary>
    Batch,

    /// <summary>Handing its computed rows to the cache.</summary>
    Append,

    /// <summary>Giving it a second lease on its generation's prompt.</summary>
    Fork,

    /// <summary>Choosing its next token.</summary>
    Sample,

    /// <summary>Ending it, however it ends.</summary>
    End,
}
