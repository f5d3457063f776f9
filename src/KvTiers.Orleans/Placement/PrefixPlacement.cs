namespace KvTiers.Orleans.Placement;

/// <summary>A conversation goes to the silo that holds the longest leading run of its blocks, balanced against load.</summary>
[Serializable]
internal sealed class PrefixPlacement : PlacementStrategy;
