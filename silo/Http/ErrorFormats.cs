namespace KvTiers.Silo.Http;

/// <summary>Finds how a path's errors are written: in its API's own format, or else in OpenAI's.</summary>
internal sealed class ErrorFormats(IEnumerable<IErrorFormat> formats)
{
    private readonly IErrorFormat[] _formats = [.. formats];

    /// <summary>The format of a path; null = OpenAI's.</summary>
    public IErrorFormat? Of(PathString path) => Array.Find(_formats, format => format.Covers(path));
}
