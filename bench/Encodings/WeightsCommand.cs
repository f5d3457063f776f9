using System.CommandLine;
using KvTiers.Bench.Reporting;
using KvTiers.Inference.Model;
using KvTiers.Inference.Tokens;
using KvTiers.Tiers.Encodings;

namespace KvTiers.Bench.Encodings;

/// <summary>
/// <c>weights</c>: what each format of the weights costs. The last question of each dialogue is answered by the model in each format, and the answer's
/// logits are held against those of the weights as stored.
/// </summary>
internal static class WeightsCommand
{
    private static readonly WeightFormat[] Formats = [WeightFormat.AsStored, WeightFormat.BF16, WeightFormat.Int8, WeightFormat.Int4];

    public static Command Create()
    {
        var output = ResultFile.Option();
        Option<DirectoryInfo> model = EncodingsCommand.ModelOption();
        Option<FileInfo> dialogues = EncodingsCommand.DialoguesOption();
        var command = new Command("weights", "Measure how many answers each format of the weights changes, and how far the logits move.") { output, model, dialogues };
        command.SetAction((parsed, cancel) => RunAsync(
            parsed.GetValue(output), parsed.GetRequiredValue(model).FullName, parsed.GetRequiredValue(dialogues), cancel));
        return command;
    }

    private static async Task RunAsync(DirectoryInfo? folder, string modelFolder, FileInfo dialoguesFile, CancellationToken cancel)
    {
        ChatPrompt chat = ChatPrompt.Load(modelFolder);
        RecordedDialogue[] dialogues;
        int vocabulary;
        using (LanguageModel stored = LanguageModel.Load(modelFolder, new ModelOptions()))
        {
            dialogues = await EncodingsCommand.RecordAsync(stored, chat, dialoguesFile, cancel);
            vocabulary = Math.Min(stored.Config.Vocabulary, chat.Tokenizer.VocabularySize);
        }

        using var result = ResultFile.Create(folder, "weights", "weights", "dialogues", "answers_changed", "answers_changed_share", "mean_kl_nats", "max_kl_nats");
        float[][][]? asStored = null;
        foreach (WeightFormat format in Formats)
        {
            using LanguageModel model = LanguageModel.Load(modelFolder, new ModelOptions { WeightFormat = format });
            await using var replay = new EncodedReplay(model, BlockEncoding.Hot);
            float[][][] logits = new float[dialogues.Length][][];
            for (int i = 0; i < dialogues.Length; i++)
                logits[i] = await replay.LogitsAsync(dialogues[i], i, cancel);

            asStored ??= logits;
            LogitDifference difference = LogitDifference.Of(asStored, logits, vocabulary);
            result.Add(
                format == WeightFormat.AsStored ? "auto" : format.ToString().ToLowerInvariant(),
                dialogues.Length, difference.AnswersChanged, (double)difference.AnswersChanged / dialogues.Length, difference.MeanDivergence, difference.GreatestDivergence);
        }
    }
}
