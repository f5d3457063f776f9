namespace KvTiers.Tests.Support;

/// <summary>What runs a Redis server: it can be ended, hung and started again on the port it had.</summary>
internal interface IRedisHost : IDisposable
{
    /// <summary>Starts it, for the first time or again. It may not listen yet when this returns.</summary>
    void Start();

    /// <summary>Ends it at once, with no time to write anything.</summary>
    void Kill();

    /// <summary>Stops it in its tracks: it keeps its connections and answers nothing.</summary>
    void Hang();

    /// <summary>Lets it go on.</summary>
    void Resume();

    /// <summary>What a server that does not come up has said; empty when that is not known.</summary>
    string Said();
}
