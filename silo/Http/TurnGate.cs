using KvTiers.Inference.Scheduling;
using KvTiers.Sessions.Access;
using KvTiers.Silo.Configuration;
using KvTiers.Silo.Limits;

namespace KvTiers.Silo.Http;

/// <summary>Lets turns in: not while the server stops, no more at one time than it is set to take, and of one tenant no more than its share and its limits.</summary>
/// <remarks>
/// What is counted are answers: a turn enters as one, before its body is read, and widens to the answers that it asks for (prompts times choices, or beams) before
/// anything is encoded. <see cref="TenantPlaces"/> says what a tenant's share is; what was let in is never put out for another.
/// </remarks>
internal sealed class TurnGate(SiloOptions options, StopSignal stop, ApiKeys keys, TenantRates rates, Fleet fleet, Refusals refusals, TimeProvider time)
{
    private readonly TenantPlaces _places = new(options.MaxTurns, time);
    private readonly TenantPlaces _ofKeys = new(int.MaxValue, time);

    /// <summary>Answers computed or waiting now.</summary>
    public int Running => _places.Taken;

    /// <summary>Answers of a tenant computed or waiting now.</summary>
    public int RunningOf(string tenant) => _places.HeldBy(tenant);

    /// <summary>Answers computed or waiting now, of each tenant that has any.</summary>
    public IReadOnlyDictionary<string, int> RunningByTenant => _places.ByTenant();

    /// <summary>Lets a turn in, as one answer; it ends when the caller goes, or when the grace period of a stop is over.</summary>
    /// <exception cref="ApiException">503: the server stops; 429: it is busy, or the tenant has its share, or has used up a limit.</exception>
    public TurnScope Enter(HttpContext context)
    {
        if (stop.IsStopping) throw ApiException.Unavailable("The server is shutting down.", "shutting_down");
        Caller caller = Caller.Of(context);
        if (rates.TokensOwedFor(caller.Tenant) is { } owed)
        {
            refusals.Count(RefusalReason.Tokens);
            throw ApiException.RateLimited($"This tenant has taken more tokens a minute than it may (tokens_per_minute: {keys.LimitsOf(caller.Tenant).TokensPerMinute}). Try again in {Seconds(owed)} s.", "tokens", owed);
        }

        Take(caller, 1);
        return new TurnScope(this, caller, CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stop.EndTurns));
    }

    /// <summary>Takes places for answers that a turn asks for beyond the first.</summary>
    /// <param name="caller">Whose turn it is.</param>
    /// <param name="held">Places that it has.</param>
    /// <param name="answers">Places that it is to have.</param>
    /// <param name="param">The request's field that asks for them.</param>
    /// <exception cref="ApiException">400: the tenant can never have so many; 429: not now.</exception>
    public void Widen(Caller caller, int held, long answers, string param)
    {
        (int most, string rule) = MostFor(caller);
        if (answers > most)
        {
            throw ApiException.BadRequest(
                $"'{param}' makes {answers} answers of this request, prompts times choices; it must be at most {most}, the answers that one tenant may have at one time ({rule}).", param, "too_many_answers");
        }

        if (answers > held) Take(caller, (int)answers - held);
    }

    /// <summary>Gives a turn's places back.</summary>
    public void Leave(Caller caller, int places)
    {
        _places.Give(caller.Tenant, places);
        if (caller.Key is { } key) _ofKeys.Give(NameOf(key), places);
    }

    private static string NameOf(ApiKeyEntry key) => $"{key.Tenant}/{key.Id}";

    private static string Seconds(TimeSpan time) => Math.Ceiling(time.TotalSeconds).ToString(System.Globalization.CultureInfo.InvariantCulture);

    private (int Most, string Rule) MostFor(Caller caller)
    {
        (int Most, string Rule) share = (_places.MostFor(keys.WeightOf(caller.Tenant)), "KvTiers:MaxTurns");
        (int Most, string Rule) tenant = (keys.LimitsOf(caller.Tenant).ConcurrentTurns ?? int.MaxValue, "concurrent_turns of the tenant");
        (int Most, string Rule) key = (caller.Key?.ConcurrentTurns ?? int.MaxValue, "concurrent_turns of the key");
        return new[] { share, tenant, key }.MinBy(bound => bound.Most);
    }

    // In both counts, or in none.
    private void Take(Caller caller, int places)
    {
        string tenant = caller.Tenant;
        if (caller.Key is { } key && !_ofKeys.TryTake(NameOf(key), double.PositiveInfinity, places, out TimeSpan retryAfter, key.ConcurrentTurns ?? int.MaxValue))
            throw Refuse(RefusalReason.ConcurrentTurns, caller, places, $"this key may have {key.ConcurrentTurns} (concurrent_turns)", retryAfter);
        int limit = fleet.PartOf(tenant, keys.LimitsOf(tenant).ConcurrentTurns ?? int.MaxValue);
        if (_places.TryTake(tenant, keys.WeightOf(tenant), places, out retryAfter, limit)) return;
        if (caller.Key is { } used) _ofKeys.Give(NameOf(used), places);
        throw _places.HeldBy(tenant) > limit - places
            ? Refuse(RefusalReason.ConcurrentTurns, caller, places, $"may have {keys.LimitsOf(tenant).ConcurrentTurns} (concurrent_turns) over all servers", retryAfter)
            : Refuse(RefusalReason.Share, caller, places, $"the server has {_places.Taken} of {options.MaxTurns} (KvTiers:MaxTurns), so that would be more than the tenant's share, or than there is room for", retryAfter);
    }

    private ApiException Refuse(RefusalReason reason, Caller caller, int places, string why, TimeSpan retryAfter)
    {
        refusals.Count(reason);
        return ApiException.Busy(
            $"This request asks for {places} more answers at one time. The tenant has {_places.HeldBy(caller.Tenant)} in work, and {why}. Try again in {Seconds(retryAfter)} s.", retryAfter);
    }
}
