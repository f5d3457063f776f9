namespace KvTiers.Silo.Limits;

/// <summary>Takes from limits by time, of this server or of all that share a store.</summary>
internal interface IRates
{
    /// <summary>Takes one from a limit.</summary>
    /// <returns>Null: it is taken. Else when it is worth trying again.</returns>
    ValueTask<TimeSpan?> TryTakeAsync(string name, RateRule rule, CancellationToken cancellationToken);

    /// <summary>Takes from a limit what was used already, owing what is not there.</summary>
    void Charge(string name, RateRule rule, double amount);

    /// <summary>How a limit stands, as far as this server knows.</summary>
    RateState StateOf(string name, RateRule rule);
}
