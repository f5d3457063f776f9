namespace KvTiers.Inference.Model;

/// <content>Rotary positions.</content>
internal static partial class ModelConfigReader
{
    // Older files have rope_theta and rope_scaling side by side, newer ones both in rope_parameters, which then counts.
    private static RotaryConfig Rotary(JsonProperties json, FamilyDefaults defaults, int headDim, int context)
    {
        JsonProperties? parameters = json.Object("rope_parameters"), scaling = json.Object("rope_scaling");
        if (parameters is not null && scaling is not null)
            throw json.Fault("rope_scaling", "stands beside rope_parameters: one of them is enough.");
        double theta = json.Number(defaults.ThetaName, 0, defaults.Theta), partial = Partial(json, defaults.PartialName, defaults);
        if (defaults.HasRotaryByLayerType && parameters is not null && parameters.Has(FullAttention))
        {
            JsonProperties full = parameters.Object(FullAttention)!;
            _ = parameters.Object(SlidingAttention);
            parameters.RequireAllRead("rope_parameters");
            parameters = full;
        }
        if ((parameters ?? scaling) is not { } rope)
            return new RotaryConfig(theta, Turned(json, headDim, partial, defaults));
        theta = rope.Number("rope_theta", 0, theta);
        if (rope.Has("partial_rotary_factor"))
            partial = Partial(rope, "partial_rotary_factor", defaults);
        int dim = Turned(json, headDim, partial, defaults);
        return new RotaryConfig(theta, dim, Scaling(json, rope, parameters is null, dim, context));
    }

    // Those of windowed layers, where the others have theirs from Rotary.
    private static RotaryConfig LocalRotary(JsonProperties json, int headDim, int context)
    {
        double theta = json.Number("rope_local_base_freq", 0, 10_000);
        if (json.Object("rope_parameters")?.Object(SlidingAttention) is not { } rope)
            return new RotaryConfig(theta, headDim);
        return new RotaryConfig(rope.Number("rope_theta", 0, theta), headDim, Scaling(json, rope, false, headDim, context));
    }

    private static double Partial(JsonProperties json, string name, FamilyDefaults defaults)
    {
        double partial = json.Number(name, 0, defaults.Partial ?? 1);
        if (partial != 1 && defaults.Partial is null)
            throw json.Fault(name, "must be 1: the architecture turns heads as a whole.");
        return partial <= 1 ? partial : throw json.Fault(name, $"is {partial} but must be at most 1.");
    }

    private static int Turned(JsonProperties json, int headDim, double partial, FamilyDefaults defaults)
    {
        int dim = (int)(headDim * partial);
        if (dim >= 2 && dim % 2 == 0)
            return dim;
        throw partial == 1
            ? json.Fault("head_dim", $"is {headDim} but must be even: rotary positions turn pairs.")
            : json.Fault(defaults.PartialName, $"is {partial}, which turns {dim} elements of a head; it must be an even number of them, 2 or more.");
    }

    private static RopeScaling? Scaling(JsonProperties json, JsonProperties rope, bool isTypeRequired, int dim, int context)
    {
        string name = rope.Has("rope_type") ? "rope_type" : "type";
        string? type = rope.Text(name);
        if (name == "rope_type" && rope.Has("type") && rope.Text("type") != type)
            throw rope.Fault("type", $"is {rope.Text("type")} but rope_type is {type}.");
        RopeScaling? scaling = type switch
        {
            "default" => null,
            null when !isTypeRequired => null,
            null => throw rope.Fault("rope_type", "is required."),
            "linear" => new RopeScaling.Linear(rope.Number("factor", 0)),
            "dynamic" => Dynamic(rope),
            "llama3" => Llama3(rope),
            "yarn" => Yarn(rope, Original(json, rope) ?? context),
            "longrope" or "su" => LongRope(rope, dim, context, Original(json, rope)),
            _ => throw rope.Fault(name, $"is {type}; supported are default, linear, dynamic, llama3, yarn and longrope."),
        };
        rope.RequireAllRead($"{type ?? "default"} rotary positions");
        return scaling;
    }

    private static int? Original(JsonProperties json, JsonProperties rope)
    {
        JsonProperties owner = rope.Has("original_max_position_embeddings") ? rope : json;
        return owner.Has("original_max_position_embeddings") ? owner.Int("original_max_position_embeddings", 1, MostTokens) : null;
    }

    // The base grows once a sequence is longer than max_position_embeddings, and none here is: up to there nothing is stretched.
    private static RopeScaling? Dynamic(JsonProperties rope)
    {
        rope.Number("factor", 0);
        return null;
    }

    private static RopeScaling.Llama3 Llama3(JsonProperties rope)
    {
        RopeScaling.Llama3 llama3 = new(
            rope.Number("factor", 0),
            rope.Number("low_freq_factor", 0),
            rope.Number("high_freq_factor", 0),
            rope.Int("original_max_position_embeddings", 1, MostTokens));
        return llama3.HighFrequencyFactor > llama3.LowFrequencyFactor
            ? llama3
            : throw rope.Fault("high_freq_factor", $"is {llama3.HighFrequencyFactor} but must be above low_freq_factor, {llama3.LowFrequencyFactor}.");
    }

    private static RopeScaling.Yarn Yarn(JsonProperties rope, int original)
    {
        double factor = rope.Number("factor", 0), fast = rope.Number("beta_fast", 0, 32), slow = rope.Number("beta_slow", 0, 1);
        if (fast <= slow)
            throw rope.Fault("beta_fast", $"is {fast} but must be above beta_slow, {slow}.");
        double numerator = rope.Number("mscale", -1, 0), denominator = rope.Number("mscale_all_dim", -1, 0);
        double usual = numerator != 0 && denominator != 0 ? Magnitude(numerator) / Magnitude(denominator) : Magnitude(1);
        return new RopeScaling.Yarn(factor, original, fast, slow, rope.Flag("truncate", true), rope.Number("attention_factor", 0, usual));

        double Magnitude(double scale) => factor <= 1 ? 1 : 0.1 * scale * Math.Log(factor) + 1;
    }

    // The factors are those of the whole context that may be asked for: a key is kept as it was turned, and must fit every later query.
    private static RopeScaling.LongRope LongRope(JsonProperties rope, int dim, int context, int? original)
    {
        double[] shorter = Factors("short_factor"), longer = Factors("long_factor");
        double stretched = original is int trained ? (double)context / trained : 1;
        double factor = rope.Number("factor", 0, stretched);
        factor = original is null ? factor : stretched;
        int from = original ?? context;
        double attention = rope.Number("attention_factor", 0, factor <= 1 ? 1 : Math.Sqrt(1 + Math.Log(factor) / Math.Log(from)));
        return new RopeScaling.LongRope(context > from ? longer : shorter, attention);

        double[] Factors(string name)
        {
            double[] factors = rope.Numbers(name, 0) ?? throw rope.Fault(name, "is required.");
            return factors.Length == dim / 2
                ? factors
                : throw rope.Fault(name, $"has {factors.Length} entries but must have one for each pair that turns, {dim / 2}.");
        }
    }
}
