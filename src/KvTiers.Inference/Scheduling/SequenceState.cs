namespace KvTiers.Inference.Scheduling;

/// <summary>A sequence goes <c>Waiting → Loading → Running → Done</c>. One that gives way goes back to <see cref="Waiting"/>; beams are <see cref="Parked"/> between their steps; any may end.</summary>
internal enum SequenceState
{
    /// <summary>In the queue: to be started, resumed, or started after its blocks were loaded.</summary>
    Waiting,

    /// <summary>Its lease is filled from the colder tiers, beside the steps of others. While <see cref="Sequence.IsHandedOver"/>, only they may touch the lease.</summary>
    Loading,

    /// <summary>It has blocks and its turn in the steps.</summary>
    Running,

    /// <summary>A beam that waits for the others of its search: nothing of it is to be computed. It has no place, and its blocks may be taken.</summary>
    Parked,

    /// <summary>It ended, however it did: it holds nothing, and nobody looks for it.</summary>
    Done,
}
