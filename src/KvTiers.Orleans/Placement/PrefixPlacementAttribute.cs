using Orleans.Placement;

namespace KvTiers.Orleans.Placement;

/// <summary>Places a grain by <see cref="PrefixPlacement"/>.</summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = false)]
internal sealed class PrefixPlacementAttribute() : PlacementAttribute(new PrefixPlacement());
