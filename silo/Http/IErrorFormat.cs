namespace KvTiers.Silo.Http;

/// <summary>How the paths of an API other than OpenAI's write their errors.</summary>
internal interface IErrorFormat
{
    /// <summary>True for the API's paths.</summary>
    bool Covers(PathString path);

    /// <summary>Before a request runs: what every answer carries, errors too.</summary>
    void Begin(HttpContext context);

    /// <summary>The body of an answer that is an error.</summary>
    object Body(ApiException error, HttpContext context);

    /// <summary>The event that ends a stream with an error, and its name.</summary>
    (string Name, object Data) Event(ApiException error, HttpContext context);
}
