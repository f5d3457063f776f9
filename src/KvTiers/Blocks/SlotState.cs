namespace KvTiers.Blocks;

/// <summary>What a slot of the pool is doing.</summary>
internal enum SlotState : byte
{
    /// <summary>In the free queue.</summary>
    Free = 0,

    /// <summary>Handed out.</summary>
    Used = 1,

    /// <summary>Out of service after the pool shrank; its memory went back to the system.</summary>
    Retired = 2,
}
