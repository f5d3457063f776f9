using KvTiers.Samples.OwnEngine;

string folder = args is [var given] ? given : Path.Combine(Path.GetTempPath(), "own-engine");
await Sample.RunAsync(folder, Console.Out);
