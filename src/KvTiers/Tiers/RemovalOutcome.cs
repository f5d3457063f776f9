namespace KvTiers.Tiers;

/// <summary>The worst of what a tier said while blocks were removed from it.</summary>
internal sealed class RemovalOutcome
{
    public ErasureState State { get; private set; }

    /// <summary>What a call counted; 0 when it failed or was not answered, which is noted.</summary>
    public async ValueTask<long> OfAsync(ValueTask<TierAnswer?> call)
    {
        TierAnswer answer = await call.ConfigureAwait(false) ?? new TierAnswer(0, TierMiss.Deadline);
        Note(answer.Fault);
        return answer.Count;
    }

    public void Note(TierMiss? fault)
    {
        ErasureState state = fault switch
        {
            null => ErasureState.Removed,
            TierMiss.Deadline or TierMiss.Unavailable => ErasureState.Pending,
            _ => ErasureState.Failed,
        };
        if (state > State)
            State = state;
    }
}
