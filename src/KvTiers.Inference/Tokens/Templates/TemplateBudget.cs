namespace KvTiers.Inference.Tokens.Templates;

/// <summary>What one rendering may still take. Every operation on a value charges it, before the work where the work's size is known before.</summary>
internal sealed class TemplateBudget
{
    /// <summary>Deepest nesting of a value that is compared or written.</summary>
    public const int MaxNesting = 50;

    // What a text, a list or a mapping takes beside its items, rounded up.
    private const int ObjectBytes = 64;

    private long _steps;
    private long _bytes;
    private long _takenSteps;
    private long _takenBytes;

    /// <param name="limits">What a rendering may take by itself.</param>
    public TemplateBudget(TemplateLimits limits)
    {
        _steps = limits.Steps;
        _bytes = limits.Bytes;
    }

    /// <summary>Steps taken.</summary>
    public long Steps => _takenSteps;

    /// <summary>Bytes of values made.</summary>
    public long Bytes => _takenBytes;

    /// <summary>The template is run once on an input, which adds to what it may take.</summary>
    public void Admit(TemplateSize size)
    {
        _steps += (2000 * size.Values) + size.Characters;
        _bytes += (1024 * size.Values) + (64 * size.Characters);
    }

    /// <exception cref="TemplateException">There are no more.</exception>
    public void Step(long count = 1)
    {
        _takenSteps += count;
        if (_takenSteps > _steps)
            throw new TemplateException(0, $"takes more than {_steps} steps") { IsOverBudget = true };
    }

    /// <exception cref="TemplateException">There are no more.</exception>
    public void Take(long bytes)
    {
        _takenBytes += bytes;
        if (_takenBytes > _bytes)
            throw new TemplateException(0, $"makes more than {_bytes} bytes of values") { IsOverBudget = true };
    }

    /// <summary>Characters are looked at one by one.</summary>
    public void Scan(long characters) => Step(characters >> 4);

    /// <summary>A text is made.</summary>
    /// <param name="characters">Its UTF-16 units.</param>
    /// <param name="ranges">Its ranges of content.</param>
    public void MakeText(long characters, long ranges)
    {
        Take(ObjectBytes + (2 * characters) + (8 * ranges));
        Step((characters >> 5) + (ranges >> 2));
    }

    /// <summary>A list of values that there are is made.</summary>
    public void MakeList(long items)
    {
        Take(ObjectBytes + (8 * items));
        Step(items >> 3);
    }

    /// <summary>A list grows by items. It doubles its room when that is used up.</summary>
    public void Grow(long items = 1) => Take(32 * items);

    /// <summary>The arguments of a call are gathered.</summary>
    public void MakeCall(int positional, int named) => Take(256 + (16L * positional) + (named == 0 ? 0 : 512 + (128L * named)));

    /// <summary>A value's items are gone down to.</summary>
    /// <param name="depth">How deep they are, from 0.</param>
    /// <param name="what">What is done with them, for the message.</param>
    /// <exception cref="TemplateException">They are deeper than <see cref="MaxNesting"/>.</exception>
    public void Descend(int depth, string what)
    {
        Step();
        if (depth > MaxNesting)
            throw new TemplateException(0, $"{what} a value that is nested more than {MaxNesting} deep");
    }
}
