using System.CommandLine;
using KvTiers.Bench.Limits;

var root = new RootCommand("KvTiers benchmarks. Every figure stands beside the machine's own limit or a baseline from the same run.")
{
    LimitsCommand.Create(),
};
return root.Parse(args).Invoke();
