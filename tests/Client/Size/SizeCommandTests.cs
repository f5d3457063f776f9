namespace KvTiers.Cli.Tests.Size;

public sealed class SizeCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("kvtiers-test").FullName;

    public void Dispose() => Directory.Delete(_folder, true);

    [Fact]
    public async Task AShapeIsSizedAndItsSavingsListed()
    {
        CliRun run = await CliRun.WithAsync(
            "size", "--layers", "80", "--kv-heads", "64", "--head-dim", "128", "--dtype", "fp16", "--tokens", "100000");

        Assert.Equal(0, run.ExitCode);
        Assert.Equal(
            """
            2 × 80 layers × 64 KV heads × 128 × fp16: 2.62 MB a token, 262 GB for 100,000 tokens

                                             a token   100,000 tokens   smaller
            as asked                         2.62 MB           262 GB        1×
            GQA, 8 KV heads                   328 kB          32.8 GB        8×
            MQA, 1 KV head                     41 kB           4.1 GB       64×
            sliding window of 4,096 tokens   2.62 MB          10.7 GB     24.4×
            fp8                              1.31 MB           131 GB        2×
            int8                             1.31 MB           131 GB        2×
            int4                              655 kB          65.5 GB        4×
            fp8, int8 and int4: without their scales

            """,
            run.Output);
    }

    [Fact]
    public async Task AModelFolderGivesTheShape()
    {
        Config("""{"num_hidden_layers":32,"num_attention_heads":32,"num_key_value_heads":8,"hidden_size":4096,"max_position_embeddings":8192,"torch_dtype":"bfloat16"}""");

        CliRun run = await CliRun.WithAsync("size", "--model", _folder);

        Assert.StartsWith("2 × 32 layers × 8 KV heads × 128 × bf16: 131 kB a token, 1.07 GB for 8,192 tokens\n", run.Output);
        Assert.Contains("MHA, 32 KV heads", run.Output);
        Assert.DoesNotContain("GQA", run.Output);
    }

    [Fact]
    public async Task AGgufFileGivesTheShape()
    {
        string path = Path.Combine(_folder, "model.gguf");
        await File.WriteAllBytesAsync(path, Gguf(("qwen3.block_count", 28), ("qwen3.embedding_length", 1024), ("qwen3.attention.head_count", 16),
            ("qwen3.attention.head_count_kv", 8), ("qwen3.attention.key_length", 128), ("qwen3.context_length", 40_960)));

        CliRun run = await CliRun.WithAsync("size", "--model", path);

        Assert.StartsWith("2 × 28 layers × 8 KV heads × 128 × fp16: 115 kB a token, 4.7 GB for 40,960 tokens\n", run.Output);
    }

    [Fact]
    public async Task AGgufFileThatEndsOrLacksAKeyIsAnError()
    {
        string path = Path.Combine(_folder, "model.gguf");
        byte[] whole = Gguf(("qwen3.block_count", 28));

        await File.WriteAllBytesAsync(path, whole);
        Assert.Contains("does not say qwen3.attention.head_count", (await CliRun.WithAsync("size", "--model", path)).Error, StringComparison.Ordinal);
        await File.WriteAllBytesAsync(path, whole[..^2]);
        Assert.Contains("cannot be read", (await CliRun.WithAsync("size", "--model", path)).Error, StringComparison.Ordinal);
        await File.WriteAllBytesAsync(path, new byte[40]);
        Assert.Contains("is no GGUF file", (await CliRun.WithAsync("size", "--model", path)).Error, StringComparison.Ordinal);
    }

    // A header with an architecture, a list to be skipped, and numbers.
    private static byte[] Gguf(params (string Key, uint Value)[] numbers)
    {
        using MemoryStream stream = new();
        using BinaryWriter writer = new(stream);
        writer.Write("GGUF"u8);
        writer.Write(3u);
        writer.Write(0ul);
        writer.Write((ulong)numbers.Length + 2);
        Text("general.architecture");
        writer.Write(8u);
        Text("qwen3");
        Text("tokenizer.ggml.tokens");
        writer.Write(9u);
        writer.Write(8u);
        writer.Write(2ul);
        Text("a");
        Text("b");
        foreach ((string key, uint value) in numbers)
        {
            Text(key);
            writer.Write(4u);
            writer.Write(value);
        }
        return stream.ToArray();

        void Text(string text)
        {
            writer.Write((ulong)text.Length);
            writer.Write(System.Text.Encoding.ASCII.GetBytes(text));
        }
    }

    [Fact]
    public async Task AnOptionOverridesTheModel()
    {
        Config("""{"n_layer":12,"n_head":12,"n_embd":768,"n_positions":1024}""");

        CliRun run = await CliRun.WithAsync("size", "--model", _folder, "--layers", "6", "--dtype", "int8", "--tokens", "10");

        Assert.StartsWith("2 × 6 layers × 12 KV heads × 64 × int8: 9.22 kB a token, 92.2 kB for 10 tokens\n", run.Output);
    }

    [Fact]
    public async Task TierCapacitiesAreProposed()
    {
        CliRun run = await CliRun.WithAsync(
            "size", "--layers", "30", "--kv-heads", "3", "--head-dim", "64", "--dtype", "bf16", "--tokens", "2000", "--conversations", "1000");

        // 2 × 30 × 3 × 64 × 2 bytes = 23,040 a token; 46.08 MB a conversation; 100 of them at one time.
        Assert.EndsWith(
            """
            1,000 conversations of 2,000 tokens: 46.1 GB, nothing shared

            tier    capacity   setting          holds
            hot      5.76 GB   --hot 5494MiB    100 active, and a quarter of room
            RAM      13.8 GB   --ram 13GiB      300 most recent
            disk     46.1 GB   --disk 43GiB     all
            Redis    57.6 GB   maxmemory 54gb   all, and a quarter of overhead

            """,
            string.Join('\n', run.Output.Split('\n').Select(line => line.TrimEnd())));
    }

    [Theory]
    [InlineData("--layers", "0")]
    [InlineData("--layers", "1001")]
    [InlineData("--kv-heads", "1025")]
    [InlineData("--head-dim", "4097")]
    [InlineData("--tokens", "1000000001")]
    [InlineData("--tokens", "many")]
    [InlineData("--dtype", "fp12")]
    [InlineData("--active", "0")]
    [InlineData("--active", "1.5")]
    [InlineData("--heads", "3")]
    public async Task ValuesOutOfRangeAreWrongUsage(string option, string value)
    {
        CliRun run = await CliRun.WithAsync("size", "--layers", "2", "--kv-heads", "2", "--head-dim", "8", option, value);

        Assert.Equal((2, ""), (run.ExitCode, run.Output));
        Assert.StartsWith("error: ", run.Error);
    }

    [Theory]
    [InlineData("--layers", "1000")]
    [InlineData("--kv-heads", "1024")]
    [InlineData("--head-dim", "4096")]
    [InlineData("--tokens", "1000000000")]
    [InlineData("--active", "1")]
    public async Task TheEndsOfTheRangesHold(string option, string value)
    {
        List<string> arguments = ["size", option, value];
        foreach ((string name, string standard) in (ReadOnlySpan<(string, string)>)[("--layers", "2"), ("--kv-heads", "2"), ("--head-dim", "8")])
        {
            if (name != option)
                arguments.AddRange([name, standard]);
        }

        Assert.Equal(0, (await CliRun.WithAsync([.. arguments])).ExitCode);
    }

    [Fact]
    public async Task WithoutAShapeOrAModelItIsWrongUsage()
    {
        CliRun run = await CliRun.WithAsync("size", "--layers", "3");

        Assert.Equal((2, "error: size needs --kv-heads, or --model.\n"), (run.ExitCode, run.Error));
    }

    [Fact]
    public async Task AFolderWithoutAConfigIsAnError()
    {
        CliRun run = await CliRun.WithAsync("size", "--model", _folder);

        Assert.Equal(1, run.ExitCode);
        Assert.StartsWith($"error: {Path.Combine(_folder, "config.json")} cannot be read: ", run.Error);
    }

    private void Config(string json) => File.WriteAllText(Path.Combine(_folder, "config.json"), json);
}
