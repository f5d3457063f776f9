using System.Security.Cryptography;
using System.Text;
using KvTiers.Inference.Kernels;
using KvTiers.Inference.Model.Gguf;

namespace KvTiers.Inference.Model;

/// <summary>
/// The tensors of a model's folder: those of <c>model.safetensors</c>, or of the shards that <c>model.safetensors.index.json</c> names; or those of a GGUF file,
/// under the names that a folder gives them.
/// Keeps track of which were asked for, so that none is left over unnoticed. Maps the files and copies nothing: for models that are computed by others, too.
/// </summary>
public sealed unsafe class WeightFiles : IDisposable
{
    private const string SingleName = "model.safetensors";
    private const string IndexName = "model.safetensors.index.json";
    private readonly List<SafetensorsFile> _files = [];
    private readonly GgufFile? _gguf;
    private readonly SortedDictionary<string, SafetensorsTensor> _tensors = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, SafetensorsTensor> _used = new(StringComparer.Ordinal);
    private readonly string _place;

    /// <summary>Opens and checks the files.</summary>
    /// <param name="folder">The folder, or the GGUF file.</param>
    /// <exception cref="ModelFormatException">There are none, or one is not what its header or the index says.</exception>
    public WeightFiles(string folder)
    {
        bool isGguf = GgufFile.IsNamedSo(folder);
        _place = isGguf ? folder : Path.Combine(folder, SingleName);
        try
        {
            if (isGguf)
                AddTensors(_gguf = new GgufFile(folder));
            else if (File.Exists(Path.Combine(folder, IndexName)))
                OpenShards(folder);
            else
                Open(_place);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The files.</summary>
    public IEnumerable<string> Paths => _gguf is null ? _files.Select(file => file.Path) : [_gguf.Path];

    /// <summary>A tensor of this name is there.</summary>
    public bool Has(string name) => _tensors.ContainsKey(name);

    /// <summary>A tensor, which counts as used from now on.</summary>
    /// <exception cref="ModelFormatException">There is none, its shape is another, or its elements are not floats.</exception>
    public SafetensorsTensor Get(string name, params ReadOnlySpan<long> shape)
    {
        if (!_tensors.TryGetValue(name, out SafetensorsTensor? tensor))
            throw new ModelFormatException(_place, name, "is missing.");
        tensor.Require(shape);
        _used[name] = tensor;
        return tensor;
    }

    /// <summary>A vector as floats, filled up with zeros to whole panels.</summary>
    internal NativeBuffer Vector(params ReadOnlySpan<SafetensorsTensor> parts)
    {
        long length = 0;
        foreach (SafetensorsTensor part in parts)
            length += part.Shape[0];
        NativeBuffer vector = new((length + PackedMatrix.PanelWidth - 1) / PackedMatrix.PanelWidth * PackedMatrix.PanelWidth * sizeof(float));
        float* target = vector.Floats;
        foreach (SafetensorsTensor part in parts)
        {
            part.Read(0, 1, new Span<float>(target, (int)part.Shape[0]));
            target += part.Shape[0];
        }
        return vector;
    }

    /// <summary>Throws when a tensor was never asked for: the file then means a model that is not the one computed.</summary>
    /// <param name="isHarmless">Names that are known to carry nothing.</param>
    /// <exception cref="ModelFormatException">Names the first such tensor.</exception>
    public void RequireAllUsed(Predicate<string> isHarmless)
    {
        foreach ((string name, SafetensorsTensor tensor) in _tensors)
        {
            if (!_used.ContainsKey(name) && !isHarmless(name))
                throw new ModelFormatException(tensor.Path, name, "is a tensor that the architecture in config.json does not have.");
        }
    }

    /// <summary>SHA-256 of a text and of the name, type, shape and content of every used tensor.</summary>
    internal byte[] Fingerprint(ThreadTeam team, string text)
    {
        SafetensorsTensor[] tensors = [.. _used.Values];
        HashJob job = new(tensors);
        team.Run(job, tensors.Length);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(text));
        for (int i = 0; i < tensors.Length; i++)
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{tensors[i].Name}\n{tensors[i].ElementType}\n{string.Join(',', tensors[i].Shape.ToArray())}\n"));
            hash.AppendData(job.Digests[i]);
        }
        return hash.GetHashAndReset();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (SafetensorsFile file in _files)
            file.Dispose();
        _gguf?.Dispose();
    }

    private void AddTensors(GgufFile file)
    {
        GgufConfig config = new(file);
        HeadRows? heads = config.Family.TurnsNeighbours ? new HeadRows(config.HeadDim) : null;
        foreach ((string stored, GgufTensor tensor) in file.Tensors)
        {
            if (stored == GgufNames.RotaryFactors)
                continue;
            string name = GgufNames.Translate(stored);
            bool isTurned = name.Contains(".q_proj.", StringComparison.Ordinal) || name.Contains(".k_proj.", StringComparison.Ordinal);
            if (isTurned && heads is not null && tensor.Shape[0] % config.HeadDim != 0)
                throw new ModelFormatException(file.Path, stored, $"has {tensor.Shape[0]} rows, which must be a multiple of the {config.HeadDim} of a head.");
            if (!_tensors.TryAdd(name, new SafetensorsTensor(file.Path, name, tensor, isTurned ? heads : null)))
                throw new ModelFormatException(file.Path, stored, $"is in the file twice, as {name} too.");
        }
    }

    private void OpenShards(string folder)
    {
        string path = Path.Combine(folder, IndexName);
        JsonProperties index = JsonProperties.ReadFile(path);
        if (index.Object("weight_map") is not { } map)
            throw index.Fault("weight_map", "is required.");
        Dictionary<string, string> shardOf = new(StringComparer.Ordinal);
        foreach (string name in map.Names())
        {
            string? shard = map.Text(name);
            if (string.IsNullOrEmpty(shard) || Path.GetFileName(shard) != shard)
                throw map.Fault(name, "must name a file of the same folder.");
            if (!shardOf.TryAdd(name, shard))
                throw map.Fault(name, "is in the map twice.");
        }
        foreach (string shard in shardOf.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
            Open(Path.Combine(folder, shard));
        foreach ((string name, string shard) in shardOf)
        {
            if (!_tensors.TryGetValue(name, out SafetensorsTensor? tensor) || Path.GetFileName(tensor.Path) != shard)
                throw new ModelFormatException(Path.Combine(folder, shard), name, $"is missing, though {IndexName} places it here.");
        }
    }

    private void Open(string path)
    {
        SafetensorsFile file = new(path);
        _files.Add(file);
        foreach ((string name, SafetensorsTensor tensor) in file.Tensors)
        {
            if (!_tensors.TryAdd(name, tensor))
                throw new ModelFormatException(path, name, $"is also in {_tensors[name].Path}.");
        }
    }

    private sealed class HashJob(SafetensorsTensor[] tensors) : ITeamJob
    {
        public byte[][] Digests { get; } = new byte[tensors.Length][];

        public void Run(int chunk, int worker)
        {
            using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            SafetensorsTensor tensor = tensors[chunk];
            for (long done = 0; done < tensor.ByteCount;)
            {
                int step = (int)Math.Min(tensor.ByteCount - done, 1 << 24);
                hash.AppendData(new ReadOnlySpan<byte>(tensor.Data + done, step));
                done += step;
            }
            Digests[chunk] = hash.GetHashAndReset();
        }
    }
}
