using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using KvTiers.Conversations;
using KvTiers.Inference.Constraints;
using KvTiers.Inference.Model;
using KvTiers.Inference.Scheduling;
using KvTiers.Inference.Tokens;
using KvTiers.Sessions.Changes;
using KvTiers.Sessions.Log;
using KvTiers.Sessions.Turns;
using KvTiers.Tiers;

namespace KvTiers.Sessions;

public sealed partial class Conversation
{
    /// <summary>Takes a turn and streams its answer. It is stored before <see cref="TurnCompleted"/>.</summary>
    /// <remarks>
    /// A turn that is cancelled, that fails, or whose stream is left early leaves the conversation as it was; what it computed stays in the
    /// cache for a while, so that a retry is cheap.
    /// </remarks>
    /// <exception cref="ArgumentException">The request breaks a rule; <see cref="PromptTooLongException"/> when it does not fit the model's context.</exception>
    /// <exception cref="ConversationNotFoundException">An append to a conversation that does not exist.</exception>
    /// <exception cref="ConversationConflictException">Someone else changed the conversation.</exception>
    public IAsyncEnumerable<TurnEvent> TurnAsync(TurnRequest request, CancellationToken cancellationToken = default)
    {
        InputCheck.Turn(request);
        return RunAsync(state => Plan(state, request), request.Options, request.Note, request.ExpectedVersion, cancellationToken);
    }

    /// <summary>Drops the last answer, if the last message is one, and generates anew.</summary>
    /// <exception cref="ConversationConflictException">There is no message to answer, or someone else changed the conversation.</exception>
    public IAsyncEnumerable<TurnEvent> RegenerateAsync(GenerationOptions options, CancellationToken cancellationToken = default)
    {
        InputCheck.Generation(options);
        return RunAsync(state => PlanRegeneration(state, options), options, note: null, expectedVersion: null, cancellationToken);
    }

    /// <summary>Computes what is missing of the conversation's blocks, ahead of its next turn.</summary>
    public async Task<WarmReceipt> WarmAsync(CancellationToken cancellationToken = default)
    {
        ConversationState state = await RequireAsync(expectedVersion: null, cancellationToken).ConfigureAwait(false);
        TokenLog log = _services.Encoder.Encode(Continued(state, state.Log.Messages, []));
        if (log.TokenCount == 0)
            return new() { Conversation = Key.Id, Tokens = 0, CachedTokens = 0, ComputedTokens = 0, TotalMs = 0 };
        var request = new GenerationRequest { Prompt = log.Tokens, MaxNewTokens = 0, Tenant = Key.Tenant, TenantSalt = _services.Salts.For(Key.Tenant, state.CacheSalt), KeepLease = true };
        Generation generation = _services.Engine.Submit(request, cancellationToken);
        LeaveToTheEngine();
        GenerationResult result = await generation.Completion.ConfigureAwait(false);
        if (result.Lease is null)
            throw new OperationCanceledException("Warming was cancelled.", cancellationToken);
        Hold(result.Lease, log);
        RenewPin();
        return new()
        {
            Conversation = Key.Id,
            Tokens = result.PromptTokenCount,
            CachedTokens = result.CachedTokenCount,
            LoadedTokens = result.PromotedTokenCounts.Values.Sum(),
            ComputedTokens = result.ComputedTokenCount,
            TotalMs = result.Duration.TotalMilliseconds,
        };
    }

    /// <summary>Loads what colder tiers hold of the conversation's blocks, as far as there is free room in the hot tier, and holds it as after a turn.</summary>
    /// <remarks>Computes nothing and makes no room.</remarks>
    /// <returns>Tokens loaded.</returns>
    public async Task<int> PreloadAsync(CancellationToken cancellationToken = default)
    {
        ConversationState state = await RequireAsync(expectedVersion: null, cancellationToken).ConfigureAwait(false);
        ReadOnlyMemory<int> tokens = KnownLog(state).Tokens;
        if (Tiers is not { } tiers || tokens.IsEmpty)
            return 0;
        BlockLease lease = Cache.Acquire(_root, tokens.Span);
        try
        {
            int room = (int)Math.Min(tokens.Length, lease.TokenCount + ((long)Cache.Pool.FreeCount * Cache.Shape.BlockSize));
            PromotionResult loaded = await tiers.PromoteAsync(lease, tokens[..room], cancellationToken).ConfigureAwait(false);
            Cache.Publish(lease);
            (_lease, lease) = (lease, _lease!);
            RenewPin();
            return loaded.TokenCount;
        }
        finally
        {
            lease?.Dispose();
        }
    }

    private async IAsyncEnumerable<TurnEvent> RunAsync(
        Func<ConversationState?, TurnPlan> makePlan, GenerationOptions options, string? note, long? expectedVersion, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        long start = _services.Time.GetTimestamp();
        await RefreshAsync(cancellationToken).ConfigureAwait(false);
        CheckVersion(_state, expectedVersion);
        TurnPlan plan = makePlan(_state);
        if (plan.Base is null)
            await CheckRoomAsync(cancellationToken).ConfigureAwait(false);
        plan = await FitAsync(plan, options, cancellationToken).ConfigureAwait(false);
        GenerationRequest request = Request(plan, options);
        EditReceipt? edit = Foresee(plan);
        var read = new List<int>();
        ToolCallReader? calls = _services.Prompt.ReaderFor(options.Tools);
        Generation? generation = null;
        bool stored = false;
        try
        {
            double submittedMs = _services.Time.GetElapsedTime(start).TotalMilliseconds;
            generation = _services.Engine.Submit(request, cancellationToken);
            LeaveToTheEngine();
            int room = _services.Engine.MaxTokenCount - plan.Prompt.Length;
            yield return new TurnStarted
            {
                Conversation = Key.Id,
                PromptTokens = plan.Prompt.Length,
                Edit = edit,
                Cut = plan.Cut,
                AnswerRoom = room < request.MaxNewTokens ? room : null,
            };
            await foreach (GeneratedToken token in generation.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                read.Add(token.Id);
                calls?.Append(token.Id, token.Text);
                yield return new TurnToken { TokenId = token.Id, Text = token.Text, LogProb = View(token.LogProb) };
            }

            GenerationResult result = await generation.Completion.ConfigureAwait(false);
            ChoiceResult answer = result.Choices[0];
            if (answer.FinishReason == FinishReason.Cancelled)
                throw new OperationCanceledException("The turn was cancelled.", cancellationToken);
            double totalMs = _services.Time.GetElapsedTime(start).TotalMilliseconds;
            double ttftMs = submittedMs + result.TimeToFirstToken.TotalMilliseconds;
            calls?.Complete();
            string finishReason = answer.FinishReason == FinishReason.Length ? "length" : calls is { CallCount: > 0 } ? "tool_calls" : "stop";
            string? limitedBy = answer.FinishReason != FinishReason.Length ? null : answer.TokenIds.Count < request.MaxNewTokens ? "context" : "max_tokens";
            TokenLog log = plan.Next.Add(_services.Encoder.ToMessage(answer, calls));
            ConversationState next = await StoreTurnAsync(plan, Change(plan, log, result, options.UseCache, new() { TtftMs = ttftMs, Note = note, FinishReason = finishReason, LimitedBy = limitedBy }), expectedVersion).ConfigureAwait(false);
            stored = true;
            SupersedeSoon(plan.Former, log);
            if (result.Lease is not null)
                Hold(result.Lease, log);
            RenewPin();
            yield return new TurnCompleted
            {
                Conversation = Key.Id,
                Version = next.Version.Number,
                Message = next.MessageAt(log.HistoryCount - 1),
                FinishReason = finishReason,
                Usage = new()
                {
                    PromptTokens = result.PromptTokenCount,
                    CompletionTokens = answer.TokenIds.Count,
                    Cached = CachedTokenCounts.Of(result),
                    ComputedTokens = result.ComputedTokenCount,
                    InvalidatedTokens = edit?.TokensInvalidated ?? 0,
                    TtftMs = ttftMs,
                    TotalMs = totalMs,
                    LimitedBy = limitedBy,
                    Cut = plan.Cut,
                },
            };
        }
        finally
        {
            if (!stored)
                await TakeBackAsync(plan, generation, read).ConfigureAwait(false);
        }
    }

    // The turn came to nothing: it stops computing, and the log's blocks are held as before. Refused, it never touched them.
    private async Task TakeBackAsync(TurnPlan plan, Generation? generation, IReadOnlyList<int> read)
    {
        if (generation is null)
            return;
        generation.Cancel();
        await ((Task)generation.Completion).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        GenerationResult? result = generation.Completion.IsCompletedSuccessfully ? generation.Completion.Result : null;
        result?.Lease?.Dispose();

        // The engine may have run ahead of what was read, and all that it computed is to go.
        if (generation.Request.UseCache && _state is not null)
            Abandon((int[])[.. plan.Prompt, .. result?.Choices[0].TokenIds ?? read]);
        if (_state is not null)
        {
            BlockLease? shorter = _lease;
            _lease = Cache.Acquire(_root, _state.Log.Tokens.Span);
            shorter?.Dispose();
        }

        RenewPin();
    }

    private int MaxNewTokens(GenerationOptions options) => options.MaxTokens ?? _services.Options.Defaults.MaxTokens ?? 256;

    private GenerationRequest Request(TurnPlan plan, GenerationOptions options)
    {
        GenerationOptions defaults = _services.Options.Defaults;
        var fallback = new SamplingOptions();
        var request = new GenerationRequest
        {
            Prompt = plan.Prompt,
            Sampling = new()
            {
                Temperature = options.Temperature ?? defaults.Temperature ?? fallback.Temperature,
                TopK = options.TopK ?? defaults.TopK ?? fallback.TopK,
                TopP = options.TopP ?? defaults.TopP ?? fallback.TopP,
                MinP = options.MinP ?? defaults.MinP ?? fallback.MinP,
                RepetitionPenalty = options.RepetitionPenalty ?? defaults.RepetitionPenalty ?? fallback.RepetitionPenalty,
                PresencePenalty = options.PresencePenalty ?? defaults.PresencePenalty ?? fallback.PresencePenalty,
                FrequencyPenalty = options.FrequencyPenalty ?? defaults.FrequencyPenalty ?? fallback.FrequencyPenalty,
                LogitBias = options.LogitBias ?? defaults.LogitBias ?? [],
                Seed = options.Seed ?? defaults.Seed ?? SeedFor(plan.Base),
                TopLogProbs = options.TopLogProbs ?? defaults.TopLogProbs,
            },
            MaxNewTokens = MaxNewTokens(options),
            StopStrings = options.Stop ?? defaults.Stop ?? [],
            StopTokenIds = options.StopTokenIds ?? defaults.StopTokenIds ?? [],
            IncludeStop = options.IncludeStop ?? defaults.IncludeStop ?? false,
            IgnoreEndOfText = options.IgnoreEndOfText ?? defaults.IgnoreEndOfText ?? false,
            MinNewTokens = options.MinTokens ?? defaults.MinTokens ?? 0,
            BadWords = options.BadWords ?? defaults.BadWords ?? [],
            Constraint = ConstraintOf(options),
            Tenant = Key.Tenant,
            TenantSalt = _services.Salts.For(Key.Tenant, plan.CacheSalt),
            UseCache = options.UseCache,
            KeepLease = options.UseCache,
        };
        request.Validate();
        return request;
    }

    // An answer that must call is calls alone, whatever form is asked of its text.
    private Constraint? ConstraintOf(GenerationOptions options)
    {
        ConstraintCache known = _services.Engine.Constraints;
        return options.Tools is { Choice: ToolChoice.Required } tools ? ToolConstraint.Of(tools, _services.Prompt.RequiredForm, known)
            : options.Format is { } format ? known.Get(format)
            : null;
    }

    // A turn tried again draws the same answer; a regeneration replaces another version, and draws a new one.
    private long SeedFor(ConversationState? state)
    {
        byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{Key}#{state?.Version.Incarnation:n}#{state?.Version.Number}"));
        return BitConverter.ToInt64(hash) & long.MaxValue;
    }

    private ConversationChange Change(TurnPlan plan, TokenLog log, GenerationResult result, bool useCache, TurnEnd end)
    {
        ExplanationReason reason = Explainer.ReasonFor(plan, result.CachedTokenCount, useCache, _services.HostId);
        var trace = new TurnTrace
        {
            Version = plan.Version,
            Host = _services.HostId,
            Reason = reason,
            PromptTokens = result.PromptTokenCount,
            CachedTokens = result.CachedTokenCount,
            LeftTokens = result.Lease is null ? 0 : Math.Min(result.Lease.TokenCount, log.CommonPrefix(result.Lease.Tokens)),
            TtftMs = end.TtftMs,
            CostTokens = Explainer.CostFor(reason, plan, result.CachedTokenCount),
            CompletionTokens = result.Choices[0].TokenIds.Count,
            FinishReason = end.FinishReason,
            LimitedBy = end.LimitedBy,
            Cut = plan.Cut,
            Note = end.Note,
            Difference = plan.Base?.LastTurnLog is { } last && last.CommonPrefix(plan.Prompt) < last.TokenCount ? LogDifference.Between(last, plan.Next) : null,
        };
        return plan.Base is null
            ? Creation(log) with { Turn = trace, CacheSalt = plan.CacheSalt, ContextPolicy = plan.NewPolicy }
            : InThisVocabulary(plan.Base, LogChanged.Between(plan.Base.Log, log, Now)) with { Turn = trace, ContextPolicy = plan.NewPolicy };
    }

    // What a turn builds on is the engine's affair while it waits there. Held here too, the blocks of conversations that all wait for room would be
    // what none of them gets.
    private void LeaveToTheEngine()
    {
        _lease?.Dispose();
        _lease = null;
    }

    // Holds what a turn left, as far as it is the log's: tokens of a stop string are not.
    private void Hold(BlockLease lease, TokenLog log)
    {
        int common = log.CommonPrefix(lease.Tokens);
        int[] whole = common < lease.TokenCount ? lease.Tokens.ToArray() : [];
        if (whole.Length > 0)
            Cache.Truncate(lease, common);
        _lease?.Dispose();
        _lease = lease;
        if (whole.Length > 0)
            Abandon(whole);
    }

    private TokenLogProbView? View(TokenLogProb? logProb) => logProb is null
        ? null
        : new()
        {
            TokenId = logProb.Id,
            Text = TextOf(logProb.Id),
            LogProb = logProb.LogProb,
            Top = [.. logProb.Top.Select(top => new TokenLogProbView { TokenId = top.Id, Text = TextOf(top.Id), LogProb = top.LogProb })],
        };

    private string TextOf(int id) => _services.Engine.Tokenizer.Decode([id], skipSpecial: false);
}
