using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using KvTiers.Inference.Kernels;
using Microsoft.Extensions.Logging;

namespace KvTiers.Inference.Model;

/// <summary>
/// Packed weights kept from one start to the next: one file per model folder and weight format. It is used when the model's files have the
/// same names, sizes and times as when it was written, and every checksum holds; else the weights are packed again and the file is replaced.
/// It can only save work: whatever goes wrong with it is a line in the log.
/// </summary>
internal sealed partial class WeightCache
{
    private static readonly TimeSpan AbandonedAfter = TimeSpan.FromHours(1);

    private readonly string _path;
    private readonly byte[] _key;
    private readonly ILogger _logger;

    /// <summary>The cache of one model in one format.</summary>
    /// <param name="cacheFolder">Where files are kept; made when missing.</param>
    /// <param name="modelFolder">The model's folder.</param>
    /// <param name="weightFiles">The weight files in it.</param>
    /// <param name="arithmetic">The configuration and the format, as the fingerprint has them.</param>
    /// <param name="format">The format, for the file's name.</param>
    /// <param name="logger">Where it tells what it did.</param>
    public WeightCache(string cacheFolder, string modelFolder, IEnumerable<string> weightFiles, string arithmetic, WeightFormat format, ILogger logger)
    {
        string folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(modelFolder));
        string place = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(folder)).AsSpan(0, 4));
        _path = Path.Combine(cacheFolder, $"{Path.GetFileName(folder)}-{format.ToString().ToLowerInvariant()}-{place}.weights");
        StringBuilder text = new($"panels {PackedMatrix.LayoutVersion}\n{arithmetic}");
        foreach (FileInfo file in weightFiles.Order(StringComparer.Ordinal).Select(path => new FileInfo(path)))
            text.Append(CultureInfo.InvariantCulture, $"{file.Name}\n{file.Length}\n{file.LastWriteTimeUtc.Ticks}\n");
        _key = SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString()));
        _logger = logger;
    }

    /// <summary>The file, in <paramref name="arena"/> and checked; null when there is none that can be used.</summary>
    public WeightCacheFile? TryOpen(ThreadTeam team, WeightArena arena)
    {
        try
        {
            if (!File.Exists(_path))
                return null;
            WeightCacheFile? file = WeightCacheFile.TryOpen(_path, _key, team, arena, out string fault);
            if (file is null)
                NotUsed(_logger, _path, fault);
            else
                WasRead(_logger, _path);
            return file;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            NotUsed(_logger, _path, exception.Message);
            return null;
        }
    }

    /// <summary>Writes the file for the next start.</summary>
    public void TryWrite(ReadOnlySpan<byte> fingerprint, IReadOnlyList<PackedMatrix> matrices, ThreadTeam team)
    {
        try
        {
            string folder = Path.GetDirectoryName(_path)!;
            Directory.CreateDirectory(folder);
            RemoveAbandoned(folder);
            WeightCacheFile.Write(_path, _key, fingerprint, matrices, team);
            Written(_logger, _path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            NotWritten(_logger, _path, exception.Message);
        }
    }

    // What a start that was killed left half written.
    private void RemoveAbandoned(string folder)
    {
        foreach (string part in Directory.EnumerateFiles(folder, Path.GetFileName(_path) + ".*.part"))
        {
            if (File.GetLastWriteTimeUtc(part) < DateTime.UtcNow - AbandonedAfter)
                File.Delete(part);
        }
    }

    [LoggerMessage(1, LogLevel.Information, "Packed weights read from {File}")]
    private static partial void WasRead(ILogger logger, string file);

    [LoggerMessage(2, LogLevel.Information, "Packed weights written to {File} for the next start")]
    private static partial void Written(ILogger logger, string file);

    [LoggerMessage(3, LogLevel.Information, "Packing the weights again: {File} {Reason}")]
    private static partial void NotUsed(ILogger logger, string file, string reason);

    [LoggerMessage(4, LogLevel.Warning, "Packed weights not kept in {File}, so the next start packs them again: {Reason}")]
    private static partial void NotWritten(ILogger logger, string file, string reason);
}
