using System.CommandLine;
using System.Globalization;
using KvTiers.Cli.Outcomes;
using KvTiers.Cli.Size;
using KvTiers.Cli.Terminals;
using Spectre.Console;
using static System.FormattableString;

namespace KvTiers.Cli.Commands;

/// <summary><c>size</c>: how much memory K and V take, what would save it, and how large to make the tiers.</summary>
internal static class SizeCommand
{
    public static Command Create(Terminal terminal)
    {
        Option<DirectoryInfo?> model = new("--model") { Description = "Read the shape from this model folder's config.json, or from this .gguf file.", HelpName = "path" };
        Option<int?> layers = Range("--layers", 1, 1000, "Transformer layers.");
        Option<int?> kvHeads = Range("--kv-heads", 1, 1024, "KV heads of a layer.");
        Option<int?> heads = Range("--heads", 1, 1024, "Query heads of a layer (default: as many as KV heads).");
        Option<int?> headDim = Range("--head-dim", 1, 4096, "Numbers in one head's K.");
        Option<int?> window = Range("--window", 1, int.MaxValue, "Tokens that stay when every layer slides (default: all).");
        Option<string?> dtype = new("--dtype")
        {
            Description = "How a number is stored: fp32, fp16, bf16, fp8, int8 or int4 (default: the model's, or fp16).",
            HelpName = "type",
        };
        dtype.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && ElementType.Find(token.Value) is null)
                result.AddError($"--dtype '{token.Value}' is not one of {string.Join(", ", ElementType.All.Select(type => type.Name))}.");
        });
        Option<int?> tokens = Range("--tokens", 1, 1_000_000_000, "Tokens to hold (default: the model's context length, or 4096); with --conversations, in each.");
        Option<int?> conversations = Range("--conversations", 1, 1_000_000_000, "Propose tier capacities for this many conversations.");
        Option<double> active = new("--active")
        {
            Description = "Share of the conversations that compute at one time, above 0 and up to 1.",
            DefaultValueFactory = _ => 0.1,
            HelpName = "share",
        };
        active.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && !(result.GetValueOrDefault<double>() is > 0 and <= 1))
                result.AddError("--active must be above 0 and at most 1.");
        });

        Command command = new("size", "How much memory the KV cache of a model takes, and what would make it smaller.")
        {
            model, layers, kvHeads, heads, headDim, dtype, window, tokens, conversations, active,
        };
        command.SetAction(parsed =>
        {
            ModelShape? read = parsed.GetValue(model) is { } folder ? ModelShape.Read(folder.FullName) : null;
            int Given(Option<int?> option, int? fromModel) => parsed.GetValue(option) ?? fromModel
                ?? throw new UsageException($"size needs {option.Name}, or --model.");

            var shape = new KvShape(
                Given(layers, read?.Layers), Given(kvHeads, read?.KvHeads), Given(headDim, read?.HeadDim),
                parsed.GetValue(dtype) is { } name ? ElementType.Find(name)! : read?.Element ?? ElementType.Fp16,
                parsed.GetValue(window) ?? read?.Window);
            int queryHeads = parsed.GetValue(heads) ?? read?.Heads ?? shape.KvHeads;
            if (queryHeads % shape.KvHeads != 0)
                throw new UsageException($"{queryHeads} query heads cannot be shared evenly by {shape.KvHeads} KV heads.");
            SizeReport report = SizeReport.Create(shape, queryHeads, parsed.GetValue(tokens) ?? read?.ContextLength ?? 4096);

            Write(terminal, report);
            if (parsed.GetValue(conversations) is { } count)
                Write(terminal, new TierPlan(count, report.Bytes, (decimal)parsed.GetValue(active)), report.Tokens);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Option<int?> Range(string name, int least, int most, string description)
    {
        Option<int?> option = new(name) { Description = description, HelpName = "n" };
        option.Validators.Add(result =>
        {
            if (result.Tokens is not [var token])
                return;
            if (int.TryParse(token.Value, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value >= least && value <= most)
                return;
            result.AddError(string.Create(CultureInfo.InvariantCulture, $"{name} '{token.Value}' must be a whole number from {least} to {most}."));
        });
        return option;
    }

    private static void Write(Terminal terminal, SizeReport report)
    {
        KvShape shape = report.Shape;
        terminal.Output.WriteLine(Invariant(
            $"2 × {shape.Layers} layers × {shape.KvHeads} KV heads × {shape.HeadDim} × {shape.Element.Name}: {ByteText.Decimal(shape.BytesPerToken)} a token, {ByteText.Decimal(report.Bytes)} for {report.Tokens:N0} tokens"));

        terminal.Output.WriteLine();
        Table table = Tables.Create("", ">a token", Invariant($">{report.Tokens:N0} tokens"), ">smaller");
        foreach (SizeVariant variant in report.Variants)
        {
            table.AddRow(
                Markup.Escape(variant.Name), ByteText.Decimal(variant.Shape.BytesPerToken), ByteText.Decimal(variant.Bytes),
                Invariant($"{variant.Ratio:0.#}×"));
        }

        terminal.Console.Write(table);
        terminal.WriteNote("fp8, int8 and int4: without their scales");
    }

    private static void Write(Terminal terminal, TierPlan plan, long tokens)
    {
        terminal.Output.WriteLine();
        terminal.Output.WriteLine(Invariant(
            $"{plan.Conversations:N0} conversations of {tokens:N0} tokens: {ByteText.Decimal(plan.TotalBytes)}, nothing shared"));
        terminal.Output.WriteLine();
        Table table = Tables.Create("tier", ">capacity", "setting", "holds");
        table.AddRow("hot", ByteText.Decimal(plan.HotBytes), "--hot " + ByteText.Flag(plan.HotBytes), Invariant($"{plan.ActiveConversations:N0} active, and a quarter of room"));
        table.AddRow("RAM", ByteText.Decimal(plan.RamBytes), "--ram " + ByteText.Flag(plan.RamBytes), Invariant($"{plan.RecentConversations:N0} most recent"));
        table.AddRow("disk", ByteText.Decimal(plan.DiskBytes), "--disk " + ByteText.Flag(plan.DiskBytes), "all");
        table.AddRow("Redis", ByteText.Decimal(plan.RedisMaxMemoryBytes), "maxmemory " + ByteText.RedisFlag(plan.RedisMaxMemoryBytes), "all, and a quarter of overhead");
        terminal.Console.Write(table);
    }
}
