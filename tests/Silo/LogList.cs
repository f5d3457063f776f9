using Microsoft.Extensions.Logging;

namespace KvTiers.Silo.Tests;

/// <summary>Keeps what is logged, exceptions and all.</summary>
internal sealed class LogList : ILoggerProvider, ILogger
{
    private readonly List<(LogLevel Level, string Text)> _entries = [];

    public IReadOnlyList<string> Lines => At(LogLevel.Trace);

    /// <summary>Those of a level and above.</summary>
    public IReadOnlyList<string> At(LogLevel least)
    {
        lock (_entries)
            return [.. _entries.Where(entry => entry.Level >= least).Select(entry => entry.Text)];
    }

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_entries)
            _entries.Add((logLevel, $"{formatter(state, exception)} {exception}"));
    }

    public void Dispose()
    {
    }
}
