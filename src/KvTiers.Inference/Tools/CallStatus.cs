namespace KvTiers.Inference.Tools;

/// <summary>How far a call is read.</summary>
internal enum CallStatus
{
    /// <summary>More is to come.</summary>
    Open,

    /// <summary>Its object is closed, and it is a call.</summary>
    Complete,

    /// <summary>It is no call, or one that is not as it should be.</summary>
    Broken,
}
