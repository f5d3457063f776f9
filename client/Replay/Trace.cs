using System.Text.Json;
using KvTiers.Cli.Outcomes;

namespace KvTiers.Cli.Replay;

/// <summary>Requests to a server in the order in which they came, as the blocks that their prompts are made of.</summary>
/// <param name="Requests">The blocks of each request, in prompt order; equal numbers are equal prefixes.</param>
/// <param name="BlockCount">Blocks of all requests together.</param>
/// <param name="DistinctBlockCount">Different blocks among them: blocks are numbered from 0 below this.</param>
internal sealed record Trace(IReadOnlyList<int[]> Requests, int BlockCount, int DistinctBlockCount)
{
    /// <summary>Reads JSON lines with <c>hash_ids</c>; what else a line has (<c>timestamp</c>, <c>input_length</c>, <c>output_length</c>) decides no hit.</summary>
    /// <exception cref="CliException">The file cannot be read, or a line is no request; the message names it.</exception>
    public static Trace Read(string path)
    {
        var requests = new List<int[]>();
        var numbers = new Dictionary<long, int>();
        long blockCount = 0;
        try
        {
            foreach (string line in File.ReadLines(path))
            {
                int[] blocks = string.IsNullOrWhiteSpace(line) ? [] : ReadRequest(line, numbers);
                requests.Add(blocks);
                blockCount += blocks.Length;
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
        {
            throw new CliException($"{path}, line {requests.Count + 1}, is not a request with an array of whole numbers as hash_ids.", exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CliException($"{path} cannot be read: {exception.Message}", exception);
        }

        requests.RemoveAll(request => request.Length == 0);
        if (requests.Count == 0)
            throw new CliException($"{path} has no requests.");
        return blockCount <= int.MaxValue
            ? new Trace(requests, (int)blockCount, numbers.Count)
            : throw new CliException($"{path} has {blockCount} blocks; at most {int.MaxValue} can be replayed.");
    }

    private static int[] ReadRequest(string line, Dictionary<long, int> numbers)
    {
        using JsonDocument document = JsonDocument.Parse(line);
        JsonElement ids = document.RootElement.GetProperty("hash_ids");
        int[] blocks = new int[ids.GetArrayLength()];
        int i = 0;
        foreach (JsonElement id in ids.EnumerateArray())
        {
            if (!numbers.TryGetValue(id.GetInt64(), out int number))
                numbers.Add(id.GetInt64(), number = numbers.Count);
            blocks[i++] = number;
        }

        return blocks;
    }
}
