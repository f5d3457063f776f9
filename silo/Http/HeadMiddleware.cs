namespace KvTiers.Silo.Http;

/// <summary>Answers HEAD wherever GET is: as GET, whose body the server then leaves out.</summary>
internal sealed class HeadMiddleware(RequestDelegate next)
{
    /// <summary>Runs the request.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        bool isHead = HttpMethods.IsHead(context.Request.Method);
        if (isHead) context.Request.Method = HttpMethods.Get;
        try
        {
            await next(context);
        }
        finally
        {
            if (isHead) context.Request.Method = HttpMethods.Head;
        }
    }
}
