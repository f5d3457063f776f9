using System.CommandLine;
using KvTiers.Bench.Cache;
using KvTiers.Bench.Encodings;
using KvTiers.Bench.EngineSpeed;
using KvTiers.Bench.Flooding;
using KvTiers.Bench.HitRate;
using KvTiers.Bench.Limits;
using KvTiers.Bench.Memory;
using KvTiers.Bench.Promotion;
using KvTiers.Bench.Serving;
using KvTiers.Bench.Summary;
using KvTiers.Bench.Tiers;

var root = new RootCommand("KvTiers benchmarks. Every figure stands beside the machine's own limit or a baseline from the same run.")
{
    LimitsCommand.Create(),
    EngineCommand.Create(),
    BusyNeighbourCommand.Create(),
    BusyNeighbourCommand.CreateSpin(),
    ConstraintCommand.Create(),
    CacheOnOffCommand.Create(),
    HitRateCommand.Create(),
    CacheCommand.Create(),
    TiersCommand.Create(),
    ProtectionCommand.Create(),
    LoadOrRecomputeCommand.Create(),
    EncodingsCommand.Create(),
    WeightsCommand.Create(),
    GcPausesCommand.Create(),
    WarmTurnCommand.Create(),
    StartCommand.Create(),
    ServingCommand.Create(),
    FloodCommand.Create(),
    AllCommand.Create(),
    SummaryCommand.Create(),
};
return root.Parse(args).Invoke();
