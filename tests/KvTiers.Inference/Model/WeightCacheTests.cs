using KvTiers.Blocks;
using KvTiers.Inference.Model;
using KvTiers.MakeModel;
using Microsoft.Extensions.Logging;

namespace KvTiers.Inference.Tests.Model;

public sealed class WeightCacheTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _log = [];

    private string Model => _folder.Sub("model");

    private string Cache => _folder.Sub("weights");

    [Theory]
    [InlineData("llama", WeightFormat.AsStored)]
    [InlineData("llama", WeightFormat.Int8)]
    [InlineData("llama", WeightFormat.Int4)]
    [InlineData("untied", WeightFormat.BF16)]
    [InlineData("gpt2", WeightFormat.F32)]
    public void WeightsReadBackComputeTheSameBitsAsPackedOnes(string name, WeightFormat format)
    {
        Write(name);
        (float[] logits, byte[] fingerprint) = Compute(format, cached: false);
        Assert.Empty(_log);

        (float[] packed, byte[] packedFingerprint) = Compute(format);
        Assert.StartsWith("Packed weights written", Assert.Single(_log));
        (float[] read, byte[] readFingerprint) = Compute(format);

        Assert.StartsWith("Packed weights read", _log[^1]);
        Assert.Equal(2, _log.Count);
        Assert.Equal(logits, packed);
        Assert.Equal(logits, read);
        Assert.Equal(fingerprint, packedFingerprint);
        Assert.Equal(fingerprint, readFingerprint);
    }

    [Fact]
    public void AChangedModelIsPackedAgain()
    {
        Write("llama");
        (float[] before, _) = Compute();
        string weights = Path.Combine(Model, "model.safetensors");
        DateTime writtenAt = File.GetLastWriteTimeUtc(weights);
        TestModel.Llama(seed: 2).Write(Model);
        File.SetLastWriteTimeUtc(weights, writtenAt.AddSeconds(1));

        (float[] after, _) = Compute();

        Assert.Contains("was made of other files, or in another way", _log[1], StringComparison.Ordinal);
        Assert.StartsWith("Packed weights written", _log[2]);
        Assert.NotEqual(before, after);
        Assert.Equal(Compute(cached: false).Logits, after);
    }

    [Fact]
    public void AChangedConfigurationIsPackedAgain()
    {
        Write("llama");
        (_, byte[] before) = Compute();
        TestModel model = TestModel.Llama(edit: json => json["rope_theta"] = 20_000);
        File.WriteAllText(Path.Combine(Model, "config.json"), model.Config.ToJsonString());

        (_, byte[] after) = Compute();

        Assert.Contains("was made of other files", _log[1], StringComparison.Ordinal);
        Assert.NotEqual(before, after);
    }

    [Fact]
    public void EveryFormatHasItsOwnFile()
    {
        Write("llama");
        foreach (WeightFormat format in (WeightFormat[])[WeightFormat.F32, WeightFormat.BF16, WeightFormat.Int8, WeightFormat.Int4])
            Compute(format);

        Assert.Equal(4, Directory.GetFiles(Cache).Length);
        foreach (WeightFormat format in (WeightFormat[])[WeightFormat.F32, WeightFormat.BF16, WeightFormat.Int8, WeightFormat.Int4])
            Compute(format);
        Assert.Equal(4, _log.Count(line => line.StartsWith("Packed weights read", StringComparison.Ordinal)));
    }

    [Fact]
    public void AnyFlippedByteOfWhatIsReadAndAnyLengthIsFound()
    {
        Write("llama");
        (float[] expected, _) = Compute();
        string file = Assert.Single(Directory.GetFiles(Cache));
        byte[] whole = File.ReadAllBytes(file);
        // Each byte of the header, up to its checksum, and bytes of the matrices; what lies between is padding that nobody reads.
        int count = BitConverter.ToInt32(whole, 12);
        long headerBytes = 80 + 32 * count + 4 * (count + 1);
        List<long> places = [.. Enumerable.Range(0, (int)headerBytes).Where(i => i % 7 == 0 || i < 96).Select(i => (long)i)];
        for (int i = 0; i < count; i++)
        {
            long offset = BitConverter.ToInt64(whole, 80 + 32 * i + 16), length = BitConverter.ToInt64(whole, 80 + 32 * i + 24);
            places.AddRange([offset, offset + length / 2, offset + length - 1]);
        }
        foreach (long place in places)
        {
            byte[] damaged = [.. whole];
            damaged[place] ^= 0x10;
            Refused(damaged);
        }
        foreach (int length in (int[])[0, 1, 83, 84, 4095, 4096, whole.Length - 1])
            Refused(whole[..length]);
        Refused([.. whole, 0]);

        Assert.Equal(expected, Compute().Logits);
        Assert.StartsWith("Packed weights read", _log[^1]);

        void Refused(byte[] bytes)
        {
            _log.Clear();
            File.WriteAllBytes(file, bytes);
            using (LanguageModel model = LanguageModel.Load(Model, Options(WeightFormat.AsStored), new ListLogger(_log)))
                Assert.Equal(expected, Logits(model));
            Assert.StartsWith("Packing the weights again", _log[0]);
            Assert.Equal(whole, File.ReadAllBytes(file));
        }
    }

    [Fact]
    public void WhereNothingCanBeWrittenTheModelLoadsAllTheSame()
    {
        Write("llama");
        File.WriteAllText(Cache, "in the way");

        (float[] logits, _) = Compute();

        Assert.StartsWith("Packed weights not kept", Assert.Single(_log));
        Assert.Equal(Compute(cached: false).Logits, logits);
    }

    [Fact]
    public void AFullDiskLeavesNothingBehind()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "There is no /dev/full here.");
        Write("llama");
        Compute();
        string file = Assert.Single(Directory.GetFiles(Cache));
        File.Delete(file);
        // The part is written there, and every write says that the disk is full.
        File.CreateSymbolicLink($"{file}.{Environment.ProcessId}.part", "/dev/full");

        Compute();

        Assert.StartsWith("Packed weights not kept", _log[^1]);
        Assert.Empty(Directory.GetFiles(Cache));
    }

    [Fact]
    public void WarmingUpChangesNoResult()
    {
        Write("llama");
        using LanguageModel model = LanguageModel.Load(Model, new ModelOptions { Threads = 2 });
        float[] before = Logits(model);

        model.WarmUp(KvFormat.F32);
        model.WarmUp(KvFormat.BF16);

        Assert.Equal(before, Logits(model));
    }

    public void Dispose() => _folder.Dispose();

    private void Write(string name)
    {
        TestModel model = name switch
        {
            "gpt2" => TestModel.Gpt2(),
            "untied" => TestModel.Llama(tied: false, biased: true),
            _ => TestModel.Llama(),
        };
        model.Write(Model, TensorType.BF16);
    }

    private ModelOptions Options(WeightFormat format) => new() { Threads = 2, WeightFormat = format, WeightCacheFolder = Cache };

    private (float[] Logits, byte[] Fingerprint) Compute(WeightFormat format = WeightFormat.AsStored, bool cached = true)
    {
        ModelOptions options = cached ? Options(format) : Options(format) with { WeightCacheFolder = null };
        using LanguageModel model = LanguageModel.Load(Model, options, new ListLogger(_log));
        return (Logits(model), model.Fingerprint.ToArray());
    }

    private static float[] Logits(LanguageModel model)
    {
        using ModelRun run = new(model);
        return run.Logits([.. Enumerable.Range(0, 20)]);
    }

    private sealed class ListLogger(List<string> lines) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Add(formatter(state, exception));
    }
}
