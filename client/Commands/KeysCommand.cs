using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using KvTiers.Cli.Access;
using KvTiers.Cli.Outcomes;
using KvTiers.Cli.Terminals;
using KvTiers.Sessions.Access;
using Spectre.Console;

namespace KvTiers.Cli.Commands;

/// <summary><c>keys</c>: who may call a server, kept in its key file, which the server reads anew by itself.</summary>
internal static class KeysCommand
{
    public static Command Create(Terminal terminal, TimeProvider time) => new("keys", "Make, list and revoke API keys in a server's key file (--api-key-file).")
    {
        Add(terminal, time),
        Revoke(terminal),
        List(terminal, time),
        Convert(terminal),
    };

    private static Argument<FileInfo> FileArgument() => new("file") { Description = "The key file.", HelpName = "file" };

    private static Command Add(Terminal terminal, TimeProvider time)
    {
        Argument<FileInfo> file = FileArgument();
        Option<string> tenant = new("--tenant") { Description = "Whose key it is; 'admin' for the operator's routes.", HelpName = "name", Required = true };
        Option<string?> id = new("--id") { Description = "Names the key in lists (default: one of its own).", HelpName = "name" };
        Option<DateTimeOffset?> expires = new("--expires")
        {
            Description = "When it ends: a time from now such as 12h or 30d, or a date such as 2027-01-31 in UTC (default: never).",
            HelpName = "time",
            CustomParser = result => ParseExpiry(result, time),
        };
        Option<double?> rate = new("--requests-per-second") { Description = "Requests a second with this key at most.", HelpName = "n" };
        Option<int?> turns = new("--concurrent-turns") { Description = "Answers at one time with this key at most.", HelpName = "n" };
        Command command = new("add", "Make a key, and write it once to standard output; the file keeps its digest.") { file, tenant, id, expires, rate, turns };
        command.SetAction(parsed =>
        {
            string key = ApiKey.New();
            string digest = System.Convert.ToHexStringLower(ApiKey.Digest(key));
            var entry = new ApiKeyEntry
            {
                Id = parsed.GetValue(id) ?? "key-" + digest[..8],
                Tenant = parsed.GetRequiredValue(tenant),
                Sha256 = digest,
                CreatedAt = time.GetUtcNow(),
                ExpiresAt = parsed.GetValue(expires),
                RequestsPerSecond = parsed.GetValue(rate),
                ConcurrentTurns = parsed.GetValue(turns),
            };
            KeyFile.Change(parsed.GetRequiredValue(file).FullName, isNew: true, keys => keys with { Keys = [.. keys.Keys, entry] });
            terminal.Output.WriteLine(key);
            terminal.WriteErrorNote($"{entry.Id}: a key of {entry.Tenant}. It is shown this once.");
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Revoke(Terminal terminal)
    {
        Argument<FileInfo> file = FileArgument();
        Argument<string> id = new("id") { Description = "The key's name, as 'list' shows it.", HelpName = "id" };
        Command command = new("revoke", "Take a key out of the file: a running server refuses it within a second or two.") { file, id };
        command.SetAction(parsed =>
        {
            string name = parsed.GetRequiredValue(id);
            KeyFile.Change(parsed.GetRequiredValue(file).FullName, isNew: false, keys => keys.Keys.Any(key => key.Id == name)
                ? keys with { Keys = [.. keys.Keys.Where(key => key.Id != name)] }
                : throw new CliException($"The file has no key '{name}'."));
            terminal.Output.WriteLine($"{name} is revoked.");
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command List(Terminal terminal, TimeProvider time)
    {
        Argument<FileInfo> file = FileArgument();
        Command command = new("list", "Show the keys and the limits of the file; no key itself is in it.") { file };
        command.SetAction(parsed =>
        {
            AccessFile keys = KeyFile.Read(parsed.GetRequiredValue(file).FullName);
            DateTimeOffset now = time.GetUtcNow();
            Table table = Tables.Create("id", "tenant", "created", "expires", ">requests/s", ">at once");
            foreach (ApiKeyEntry key in keys.Keys)
            {
                string end = key.ExpiresAt is not { } at ? "never" : at <= now ? $"expired {Day(at)}" : Day(at);
                table.AddRow(
                    Markup.Escape(key.Id), Markup.Escape(key.Tenant), key.CreatedAt is { } made ? Day(made) : "",
                    end, Number(key.RequestsPerSecond), Number(key.ConcurrentTurns));
            }

            terminal.Console.Write(table);
            if (keys.Tenants.Count == 0)
                return ExitCodes.Ok;
            terminal.Output.WriteLine();
            Table limits = Tables.Create("tenant", ">weight", ">requests/s", ">tokens/min", ">at once", ">conversations", ">tier bytes");
            foreach ((string tenant, TenantLimits limit) in keys.Tenants.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            {
                limits.AddRow(
                    Markup.Escape(tenant), Number(limit.Weight), Number(limit.RequestsPerSecond), Number(limit.TokensPerMinute),
                    Number(limit.ConcurrentTurns), Number(limit.Conversations), Number(limit.TierBytes));
            }

            terminal.Console.Write(limits);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Convert(Terminal terminal)
    {
        Argument<FileInfo> file = FileArgument();
        Command command = new("convert", "Make a file of 'tenant key' lines one of digests. The keys stay what they are; comments go.") { file };
        command.SetAction(parsed =>
        {
            int count = KeyFile.Convert(parsed.GetRequiredValue(file).FullName);
            terminal.Output.WriteLine(count < 0 ? "The file holds digests already." : string.Create(CultureInfo.InvariantCulture, $"{count} keys are digests now."));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static DateTimeOffset? ParseExpiry(ArgumentResult result, TimeProvider time)
    {
        string text = result.Tokens[0].Value;
        double unit = text[^1] switch { 'm' => 60, 'h' => 3600, 'd' => 24 * 3600, _ => 0 };
        if (unit > 0 && double.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double count) && count > 0 && count * unit <= 100 * 365.25 * 24 * 3600)
            return time.GetUtcNow() + TimeSpan.FromSeconds(count * unit);
        if (unit == 0 && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset at) && at > time.GetUtcNow())
            return at;
        result.AddError($"--expires '{text}' must be a time from now such as 12h or 30d, of at most 100 years, or a date to come such as 2027-01-31.");
        return null;
    }

    private static string Day(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm'Z'", CultureInfo.InvariantCulture);

    private static string Number(IFormattable? value) => value?.ToString(null, CultureInfo.InvariantCulture) ?? "";
}
