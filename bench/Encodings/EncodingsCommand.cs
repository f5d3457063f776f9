using System.CommandLine;
using KvTiers.Bench.Reporting;
using KvTiers.Bench.Tiers;
using KvTiers.Inference.Model;
using KvTiers.Inference.Scheduling;
using KvTiers.Inference.Tokens;
using KvTiers.Tiers.Encodings;

namespace KvTiers.Bench.Encodings;

/// <summary>
/// <c>encodings</c>: what each encoding saves, and what it costs. The last question of each dialogue is answered on keys and values of all
/// earlier turns that have been encoded and decoded; the answer's logits are held against the lossless ones.
/// </summary>
internal static class EncodingsCommand
{
    private static readonly BlockEncoding[] Encodings =
        [BlockEncoding.Hot, BlockEncoding.BFloat16, BlockEncoding.Float8E4M3, BlockEncoding.Int8, BlockEncoding.Int4];

    public static Command Create()
    {
        var output = ResultFile.Option();
        Option<DirectoryInfo> model = ModelOption();
        Option<FileInfo> dialogues = DialoguesOption();
        var command = new Command("encodings", "Measure what each encoding saves, how many answers it changes, and how far the logits move.") { output, model, dialogues };
        command.SetAction((parsed, cancel) => RunAsync(
            parsed.GetValue(output), parsed.GetRequiredValue(model), parsed.GetRequiredValue(dialogues), cancel));
        return command;
    }

    /// <summary>The model that answers.</summary>
    public static Option<DirectoryInfo> ModelOption() => new("--model")
    {
        Description = "Model folder.",
        DefaultValueFactory = _ => new DirectoryInfo(RepositoryRoot.PathOf("models", "demo")),
    };

    /// <summary>What it is asked.</summary>
    public static Option<FileInfo> DialoguesOption() => new("--dialogues")
    {
        Description = "Dialogues as in tests/Golden/recall.json.",
        DefaultValueFactory = _ => new FileInfo(RepositoryRoot.PathOf("tests", "Golden", "recall.json")),
    };

    private static async Task RunAsync(DirectoryInfo? folder, DirectoryInfo modelFolder, FileInfo dialoguesFile, CancellationToken cancel)
    {
        using LanguageModel model = LanguageModel.Load(modelFolder.FullName, new ModelOptions());
        ChatPrompt chat = ChatPrompt.Load(modelFolder.FullName);
        RecordedDialogue[] dialogues = await RecordAsync(model, chat, dialoguesFile, cancel);
        int vocabulary = Math.Min(model.Config.Vocabulary, chat.Tokenizer.VocabularySize);

        using var result = ResultFile.Create(
            folder, "encodings", "encoding", "bytes_per_token", "of_f32", "of_bf16", "dialogues", "answers_changed", "answers_changed_share", "mean_kl_nats", "max_kl_nats");
        float[][][]? lossless = null;
        double f32 = 0;
        foreach (BlockEncoding encoding in Encodings)
        {
            await using var replay = new EncodedReplay(model, encoding);
            float[][][] logits = new float[dialogues.Length][][];
            for (int i = 0; i < dialogues.Length; i++)
                logits[i] = await replay.LogitsAsync(dialogues[i], i, cancel);

            if (lossless is null)
            {
                lossless = logits;
                f32 = replay.BytesPerToken;
                CheckAgainstEngine(dialogues, logits, vocabulary);
            }

            LogitDifference difference = LogitDifference.Of(lossless, logits, vocabulary);
            result.Add(
                encoding == BlockEncoding.BFloat16 ? "bf16" : encoding == BlockEncoding.Hot ? "f32" : TiersResult.NameOf(encoding),
                replay.BytesPerToken, f32 / replay.BytesPerToken, f32 / 2 / replay.BytesPerToken,
                dialogues.Length, difference.AnswersChanged, (double)difference.AnswersChanged / dialogues.Length, difference.MeanDivergence, difference.GreatestDivergence);
        }
    }

    /// <summary>Lets the model answer.</summary>
    public static async Task<RecordedDialogue[]> RecordAsync(LanguageModel model, ChatPrompt chat, FileInfo file, CancellationToken cancel)
    {
        using var cache = new KvCache(model.Config.CreateLayout(Blocks.KvFormat.F32), new KvCacheOptions { HotBytes = 256L << 20 });
        await using var engine = new Engine(model, chat.Tokenizer, cache, new EngineOptions());
        return await RecordedDialogue.RunAllAsync(engine, chat, file.FullName, cancel);
    }

    /// <summary>The replay stands for the engine only if it gives the engine's very answers where nothing is lost.</summary>
    private static void CheckAgainstEngine(RecordedDialogue[] dialogues, float[][][] lossless, int vocabulary)
    {
        foreach ((int i, RecordedDialogue dialogue) in dialogues.Index())
        {
            if (!dialogue.Answer.SequenceEqual(lossless[i][..^1].Select(row => LogitDifference.Best(row, vocabulary))))
                throw new InvalidOperationException($"Dialogue {i}: the lossless replay does not give the engine's answer.");
        }
    }
}
