namespace KvTiers.Silo.Configuration;

/// <summary>What computes.</summary>
internal enum EngineKind
{
    /// <summary>Our own engine.</summary>
    KvTiers,

    /// <summary>TorchSharp over libtorch.</summary>
    Torch,
}
