using System.Text.Json;

namespace KvTiers.Inference.Model;

/// <summary>
/// One JSON object of a model's configuration, read property by property; every fault names file, property and rule. It remembers what was read, so
/// that what nobody read can be refused.
/// </summary>
internal sealed class JsonProperties
{
    private readonly string _path;
    private readonly string _prefix;
    private readonly JsonElement _object;
    private readonly HashSet<string> _read = new(StringComparer.Ordinal);

    public JsonProperties(string path, JsonElement value, string prefix = "")
    {
        _path = path;
        _prefix = prefix;
        _object = value;
        if (value.ValueKind != JsonValueKind.Object)
            throw new ModelFormatException(path, prefix.Length == 0 ? null : prefix.TrimEnd('.'), "must be a JSON object.");
    }

    /// <summary>Reads a file that holds one JSON object.</summary>
    public static JsonProperties ReadFile(string path)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
            return new JsonProperties(path, document.RootElement.Clone());
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ModelFormatException(path, null, "cannot be read.", exception);
        }
        catch (JsonException exception)
        {
            throw new ModelFormatException(path, null, $"is not JSON: {exception.Message}", exception);
        }
    }

    /// <summary>The names of all properties, as often as they occur.</summary>
    public IEnumerable<string> Names() => _object.EnumerateObject().Select(property => property.Name);

    /// <summary>The property is there and not null.</summary>
    public bool Has(string name) => Find(name) is not null;

    /// <summary>The property is there, perhaps as null.</summary>
    public bool IsGiven(string name) => _object.TryGetProperty(name, out _);

    /// <summary>Throws for a property that was not read and is not null: it could change a result.</summary>
    /// <param name="owner">What the object describes.</param>
    /// <param name="harmless">Names of properties that change none.</param>
    /// <exception cref="ModelFormatException">Names the first such property.</exception>
    public void RequireAllRead(string owner, params IReadOnlyCollection<string> harmless)
    {
        foreach (JsonProperty property in _object.EnumerateObject())
        {
            if (property.Value.ValueKind != JsonValueKind.Null && !_read.Contains(property.Name) && !harmless.Contains(property.Name))
                throw Fault(property.Name, $"is not known of {owner}, and could change what the model computes.");
        }
    }

    /// <summary>A whole number in a range; <paramref name="otherwise"/> stands in for a property that is missing or null.</summary>
    public int Int(string name, int least, int most, int? otherwise = null)
    {
        if (Find(name) is not JsonElement value)
            return otherwise ?? throw Fault(name, "is required.");
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt32(out int number) || number < least || number > most)
            throw Fault(name, $"is {value.GetRawText()} but must be a whole number from {least} to {most}.");
        return number;
    }

    /// <summary>A finite number above <paramref name="above"/>.</summary>
    public double Number(string name, double above, double? otherwise = null)
    {
        if (Find(name) is not JsonElement value)
            return otherwise ?? throw Fault(name, "is required.");
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out double number) || !double.IsFinite(number) || number <= above)
            throw Fault(name, $"is {value.GetRawText()} but must be a number above {above}.");
        return number;
    }

    /// <summary>True or false; <paramref name="otherwise"/> stands in for a property that is missing or null.</summary>
    public bool Flag(string name, bool otherwise)
    {
        if (Find(name) is not JsonElement value)
            return otherwise;
        return value.ValueKind is JsonValueKind.True or JsonValueKind.False
            ? value.GetBoolean()
            : throw Fault(name, $"is {value.GetRawText()} but must be true or false.");
    }

    /// <summary>A string, or <see langword="null"/> when missing or null.</summary>
    public string? Text(string name)
    {
        if (Find(name) is not JsonElement value)
            return null;
        return value.ValueKind == JsonValueKind.String ? value.GetString() : throw Fault(name, $"is {value.GetRawText()} but must be a string.");
    }

    /// <summary>A list of strings, or <see langword="null"/> when missing or null.</summary>
    public string[]? Texts(string name)
    {
        if (Find(name) is not JsonElement value)
            return null;
        if (value.ValueKind != JsonValueKind.Array)
            throw Fault(name, "must be a list of strings.");
        string[] texts = new string[value.GetArrayLength()];
        for (int i = 0; i < texts.Length; i++)
            texts[i] = value[i].ValueKind == JsonValueKind.String ? value[i].GetString()! : throw Fault(name, "must be a list of strings.");
        return texts;
    }

    /// <summary>A list of finite numbers above <paramref name="above"/>, or <see langword="null"/> when missing or null.</summary>
    public double[]? Numbers(string name, double above)
    {
        if (Find(name) is not JsonElement value)
            return null;
        if (value.ValueKind != JsonValueKind.Array)
            throw Fault(name, "must be a list of numbers.");
        double[] numbers = new double[value.GetArrayLength()];
        for (int i = 0; i < numbers.Length; i++)
        {
            JsonElement item = value[i];
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetDouble(out numbers[i]) || !double.IsFinite(numbers[i]) || numbers[i] <= above)
                throw Fault(name, $"has {item.GetRawText()} at {i} but must be a list of numbers above {above}.");
        }
        return numbers;
    }

    /// <summary>A list of whole numbers in a range, or <see langword="null"/> when missing or null.</summary>
    public int[]? Ints(string name, int least, int most)
    {
        if (Find(name) is not JsonElement value)
            return null;
        if (value.ValueKind != JsonValueKind.Array)
            throw Fault(name, "must be a list of whole numbers.");
        int[] numbers = new int[value.GetArrayLength()];
        for (int i = 0; i < numbers.Length; i++)
        {
            JsonElement item = value[i];
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt32(out numbers[i]) || numbers[i] < least || numbers[i] > most)
                throw Fault(name, $"has {item.GetRawText()} at {i} but must be a list of whole numbers from {least} to {most}.");
        }
        return numbers;
    }

    /// <summary>An object inside this one, or <see langword="null"/> when missing or null.</summary>
    public JsonProperties? Object(string name) =>
        Find(name) is JsonElement value ? new JsonProperties(_path, value, $"{_prefix}{name}.") : null;

    /// <summary>A fault of one property.</summary>
    public ModelFormatException Fault(string name, string rule) => new(_path, _prefix + name, rule);

    private JsonElement? Find(string name)
    {
        _read.Add(name);
        return _object.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }
}
