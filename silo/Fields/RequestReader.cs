using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using KvTiers.Silo.Configuration;
using KvTiers.Silo.Http;
using Microsoft.AspNetCore.Http.Features;

namespace KvTiers.Silo.Fields;

/// <summary>Reads request bodies: JSON whose every field is one that the server knows.</summary>
internal sealed class RequestReader(SiloOptions options)
{
    private const int FirstBytes = 4096;
    private readonly FieldWalk _walk = new(options.IgnoreUnknownFields);

    /// <summary>The request's body as <typeparamref name="T"/>.</summary>
    /// <param name="request">The request.</param>
    /// <param name="table">The fields that it may have.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="ApiException">400: the body is no JSON, or a field is unknown, refused or of the wrong type, with its path.</exception>
    public async ValueTask<T> ReadAsync<T>(HttpRequest request, FieldTable table, CancellationToken cancellationToken)
        where T : class
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent((int)Math.Clamp(request.ContentLength + 1 ?? 0, FirstBytes, Math.Max(FirstBytes, options.MaxBodyBytes + 1)));
        try
        {
            int count = 0;
            while (await ReadAsync(request.Body, buffer.AsMemory(count), cancellationToken) is > 0 and var read)
            {
                count += read;
                if (count == buffer.Length) buffer = Grow(buffer);
            }

            return Read<T>(buffer.AsSpan(0, count), table);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>As above, for the server's own requests, whose fields are the properties of <typeparamref name="T"/>.</summary>
    public ValueTask<T> ReadAsync<T>(HttpRequest request, CancellationToken cancellationToken)
        where T : class =>
        ReadAsync<T>(request, FieldTable.Of<T>(), cancellationToken);

    /// <summary>As above, but an empty body is a default <typeparamref name="T"/>.</summary>
    public ValueTask<T> ReadOrDefaultAsync<T>(HttpRequest request, CancellationToken cancellationToken)
        where T : class, new() =>
        request.HttpContext.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true
            ? ReadAsync<T>(request, cancellationToken)
            : ValueTask.FromResult(new T());

    private static async ValueTask<int> ReadAsync(Stream body, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await body.ReadAsync(buffer, cancellationToken);
        }
        catch (Exception e) when (e is InvalidDataException or InvalidOperationException)
        {
            // Brotli's stream throws the latter.
            throw ApiException.BadRequest("The body is not what its content-encoding says: it cannot be inflated.", null, "invalid_encoding", e);
        }
    }

    private static byte[] Grow(byte[] full)
    {
        byte[] larger = ArrayPool<byte>.Shared.Rent(full.Length * 2);
        full.CopyTo(larger, 0);
        ArrayPool<byte>.Shared.Return(full);
        return larger;
    }

    private T Read<T>(ReadOnlySpan<byte> json, FieldTable table)
        where T : class
    {
        if (json.StartsWith(Encoding.UTF8.Preamble)) json = json[Encoding.UTF8.Preamble.Length..];
        if (!Utf8.IsValid(json)) throw ApiException.BadRequest($"The body is not valid UTF-8: byte {FirstInvalid(json) + 1} belongs to no character.", null, "invalid_utf8");
        try
        {
            _walk.Check(json, table);
        }
        catch (JsonException e)
        {
            throw SiloJson.InvalidJson(e);
        }

        return SiloJson.Read<T>(json);
    }

    private static int FirstInvalid(ReadOnlySpan<byte> text)
    {
        int at = 0;
        while (Rune.DecodeFromUtf8(text[at..], out _, out int length) == OperationStatus.Done) at += length;
        return at;
    }
}
