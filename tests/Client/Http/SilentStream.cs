namespace KvTiers.Cli.Tests.Http;

/// <summary>Gives its bytes, then neither data nor end until it is cancelled.</summary>
internal sealed class SilentStream(byte[] bytes) : MemoryStream(bytes)
{
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int count = Read(buffer.Span);
        if (count == 0)
            await Task.Delay(Timeout.Infinite, cancellationToken);
        return count;
    }
}
