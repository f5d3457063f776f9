using System.CommandLine;
using System.Net.Http.Headers;
using KvTiers.Bench.EngineSpeed;
using KvTiers.Bench.Reporting;
using KvTiers.Bench.Serving;
using KvTiers.Inference.Tokens;
using KvTiers.MakeModel;
using KvTiers.Sessions.Access;

namespace KvTiers.Bench.Flooding;

/// <summary>
/// <c>flood</c>: a tenant's time to first token while it is alone, and while another sends everything it may. The two ask the same server in turn, several times over, so that what else
/// the machine does falls on both. The flood runs in this process, on the same machine.
/// </summary>
internal static class FloodCommand
{
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(5);

    public static Command Create()
    {
        var output = ResultFile.Option();
        var models = EngineCommand.ModelsOption();
        var shape = new Option<string>("--shape") { Description = "Which model's dimensions to use, with random weights.", DefaultValueFactory = _ => "smollm2-135m" };
        shape.AcceptOnlyFromAmong([.. ModelShape.All.Select(known => known.Name)]);
        var prompt = new Option<int>("--prompt-tokens") { Description = "Tokens of a prompt of the quiet tenant.", DefaultValueFactory = _ => 512 };
        var asks = new Option<int>("--asks") { Description = "Requests of the quiet tenant in a round.", DefaultValueFactory = _ => 35 };
        var rounds = new Option<int>("--rounds") { Description = "Rounds, each quiet and then flooded.", DefaultValueFactory = _ => 3 };
        var conversations = new Option<int>("--conversations") { Description = "Conversations that the flood creates.", DefaultValueFactory = _ => 5_000 };
        var longest = new Option<int>("--long-prompt-bytes") { Description = "Bytes of the flood's longest prompts; 0 for none.", DefaultValueFactory = _ => 15_000_000 };
        var turns = new Option<int?>("--concurrent-turns") { Description = "A limit of both tenants: answers at one time. Without it, shares alone hold them apart." };
        var command = new Command("flood", "Measure one tenant's time to first token while another floods the server.") { output, models, shape, prompt, asks, rounds, conversations, longest, turns };
        command.SetAction(async (parsed, cancel) =>
        {
            string model = BenchModel.Make(parsed.GetRequiredValue(shape), parsed.GetRequiredValue(models));
            DirectoryInfo folder = Directory.CreateTempSubdirectory("kvtiers-flood-");
            try
            {
                string keys = Path.Combine(folder.FullName, "keys.json");
                string quiet = ApiKey.New(), flood = ApiKey.New();
                new AccessFile
                {
                    Keys = [.. new[] { ("quiet", quiet), ("flood", flood) }.Select(pair => new ApiKeyEntry { Id = pair.Item1, Tenant = pair.Item1, Sha256 = Convert.ToHexStringLower(ApiKey.Digest(pair.Item2)) })],
                    Tenants = new Dictionary<string, TenantLimits> { [AccessFile.EveryTenant] = new() { ConcurrentTurns = parsed.GetValue(turns) } },
                }.Write(keys);
                using ResultFile result = ResultFile.Create(parsed.GetValue(output), "flood", "round", "tenant", "asks", "refused", "ttft_p50_ms", "ttft_p95_ms", "ttft_p99_ms", "p99_over_quiet");
                await using ServerProcess server = await ServerProcess.StartAsync(model, ["--api-key-file", keys, "--hot", "512MiB"], cancel);
                int vocabulary = Tokenizer.Load(model).VocabularySize;
                var tenant = new QuietTenant(Client(server, quiet), parsed.GetValue(prompt), answerTokens: 8, vocabulary);
                var flooding = new Flood(Client(server, flood), vocabulary, parsed.GetValue(longest));
                await tenant.AskAsync(8, cancel);
                List<double> alone = [], beside = [];
                for (int round = 1; round <= parsed.GetValue(rounds); round++)
                {
                    List<double> times = await tenant.AskAsync(parsed.GetValue(asks), cancel);
                    Add($"{round}", "alone", times);
                    alone.AddRange(times);
                    using var end = CancellationTokenSource.CreateLinkedTokenSource(cancel);
                    Task flooded = flooding.RunAsync(parsed.GetValue(conversations) / parsed.GetValue(rounds), end.Token);
                    await Task.Delay(Settling, cancel);
                    times = await tenant.AskAsync(parsed.GetValue(asks), cancel);
                    await end.CancelAsync();
                    await flooded;
                    Add($"{round}", "flooded", times);
                    beside.AddRange(times);
                    await Task.Delay(Settling, cancel);
                }

                alone.Sort();
                beside.Sort();
                Add("all", "alone", alone);
                Add("all", "flooded", beside);
                foreach ((string kind, int count) in flooding.Answers.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                    Console.WriteLine($"# the flood's {kind}: {count}");

                void Add(string round, string how, List<double> times) => result.Add(
                    round, how, times.Count, tenant.Refusals, At(times, 50), At(times, 95), At(times, 99), round == "all" ? At(times, 99) / At(alone, 99) : "");
            }
            finally
            {
                folder.Delete(recursive: true);
            }
        });
        return command;
    }

    private static double At(List<double> sorted, int percentile) => sorted[(int)Math.Ceiling((sorted.Count * percentile / 100.0) - 1)];

    private static HttpClient Client(ServerProcess server, string key)
    {
        var http = new HttpClient { BaseAddress = server.Http.BaseAddress, Timeout = Timeout.InfiniteTimeSpan };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return http;
    }
}
