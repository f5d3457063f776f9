using System.Text.Json.Nodes;

namespace KvTiers.Cli.Tests.Http;

/// <summary>A request as it arrived.</summary>
internal sealed record FakeRequest(string Method, string Path, JsonObject? Body, string? Authorization);
