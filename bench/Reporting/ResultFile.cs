using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace KvTiers.Bench.Reporting;

/// <summary>
/// One benchmark's rows: printed as they come, and kept as CSV whose first lines say which commit, processor, memory and
/// runtime they were measured on.
/// </summary>
internal sealed class ResultFile : IDisposable
{
    private readonly StreamWriter? _file;
    private readonly int _columnCount;

    private ResultFile(StreamWriter? file, int columnCount)
    {
        _file = file;
        _columnCount = columnCount;
    }

    /// <summary>The option that names the folder for results; without it they are only printed.</summary>
    public static Option<DirectoryInfo?> Option() =>
        new("--out") { Description = "Folder for the CSV file. Without it the rows are only printed." };

    public static ResultFile Create(DirectoryInfo? folder, string name, params string[] columns)
    {
        StreamWriter? file = null;
        if (folder is not null)
        {
            folder.Create();
            file = new StreamWriter(Path.Combine(folder.FullName, name + ".csv"), append: false, new UTF8Encoding(false)) { NewLine = "\n" };
        }

        var result = new ResultFile(file, columns.Length);
        foreach (string line in Environs())
            result.Write("# " + line);

        result.Write(string.Join(',', columns));
        return result;
    }

    public void Add(params object[] values)
    {
        if (values.Length != _columnCount)
            throw new ArgumentException($"A row has {_columnCount} values; {values.Length} were given.", nameof(values));

        Write(string.Join(',', values.Select(Format)));
    }

    public void Dispose() => _file?.Dispose();

    private void Write(string line)
    {
        Console.WriteLine(line);
        _file?.WriteLine(line);
        _file?.Flush();
    }

    private static string Format(object value) => value switch
    {
        double number => number.ToString("G5", CultureInfo.InvariantCulture),
        string text => text.Contains(',') ? $"\"{text}\"" : text,
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };

    private static IEnumerable<string> Environs()
    {
        yield return $"commit {Capture("git", "rev-parse --short HEAD") ?? "unknown"}";
        string? model = File.Exists("/proc/cpuinfo")
            ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(": ")[1]
            : null;
        yield return $"processor {model ?? RuntimeInformation.ProcessArchitecture.ToString()}, {Environment.ProcessorCount} threads";
        yield return $"memory {GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (1 << 30)} GiB";
        yield return $"runtime {RuntimeInformation.FrameworkDescription}, {RuntimeInformation.OSDescription}";
    }

    private static string? Capture(string program, string arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true });
            return process?.StandardOutput.ReadToEnd().Trim();
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
