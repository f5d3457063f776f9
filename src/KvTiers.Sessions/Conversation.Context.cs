using KvTiers.Conversations;
using KvTiers.Inference.Model;
using KvTiers.Inference.Scheduling;
using KvTiers.Sessions.Log;
using KvTiers.Sessions.Turns;

namespace KvTiers.Sessions;

/// <content>What happens when a conversation outgrows the model's context.</content>
/// <remarks>
/// The log then has fewer messages than the conversation. Moving the keys of those that stay would not give the bits that computing them gives, since positions are
/// part of them; so what is behind the cut is computed again, once.
/// </remarks>
public sealed partial class Conversation
{
    // Encoded anew, messages may have a few tokens more than they had behind others.
    private const int CutAttempts = 3;

    private const double KeepStep = 0.1;

    private static readonly ChatMessage SummaryRequest = new(
        "user", "Summarize our conversation so far, so that it can be continued from the summary alone. Keep names, numbers, decisions and open questions. Answer with the summary only.");

    // The plan with a prompt that leaves room for its answer, as far as the policy and the messages let it.
    private async Task<TurnPlan> FitAsync(TurnPlan plan, GenerationOptions options, CancellationToken cancellationToken)
    {
        var room = new ContextRoom(_services.Engine.MaxTokenCount, MaxNewTokens(options), _services.Options.ContextKeep);
        if (plan.Policy == ContextPolicy.Refuse || plan.Prompt.Length <= room.MaxPromptTokens)
            return plan;
        if (plan.Policy != ContextPolicy.Summarize)
            return Shorten(plan, options, room, summaryRoom: 0) ?? plan;
        int requestTokens = _services.Prompt.Encode([SummaryRequest], addGenerationPrompt: true).Ids.Length + _services.Prompt.AnswerClosingIds.Count;
        int mostTokens = Math.Min(_services.Options.SummaryTokens, room.ContextTokens / 8);
        TurnPlan? shorter = Shorten(plan, options, room, requestTokens + mostTokens);

        // What goes must fit the context together with its summary, so perhaps less goes.
        for (double keep = room.Keep + KeepStep; keep < 1 && shorter is not null && EndOfDropped(plan, shorter).Tokens + requestTokens + mostTokens > room.ContextTokens; keep += KeepStep)
            shorter = Shorten(plan, options, room with { Keep = keep }, requestTokens + mostTokens);
        return shorter is null ? plan : await SummarizeAsync(plan, shorter, options, room, mostTokens, cancellationToken).ConfigureAwait(false);
    }

    // Behind the last message that goes: how many messages, and tokens, of the log before the cut.
    private static (int Place, int Tokens) EndOfDropped(TurnPlan plan, TurnPlan shorter)
    {
        int place = shorter.Next.Cut!.Dropped.LastOrDefault(one => one.Version == plan.Version) is { } last ? plan.Next.PlaceOf(last.Index) + 1 : plan.Next.Cut!.SummaryEnd;
        return (place, plan.Next.TokenStart(place));
    }

    private TurnPlan? Shorten(TurnPlan plan, GenerationOptions options, ContextRoom room, int summaryRoom)
    {
        ContextPiece[] pieces = [.. plan.Next.Messages.Select(message => new ContextPiece(message.Role, message.Tokens.Length, message.Pinned))];
        int otherTokens = plan.Prompt.Length - plan.Next.TokenCount + summaryRoom;
        TurnPlan? shorter = null;
        for (int attempt = 0; attempt < CutAttempts; attempt++)
        {
            if (ContextCutter.Choose(pieces, otherTokens, plan.Policy, room) is not { } kept)
                break;
            TokenLog next = _services.Encoder.Encode(LogDraft.Without(plan.Next, kept, plan.Version), options.Tools?.Definitions);
            shorter = With(plan, next, room);
            int more = shorter.Prompt.Length + summaryRoom - room.MaxPromptTokens;
            if (more <= 0)
                break;
            otherTokens += more;
        }

        return shorter;
    }

    private TurnPlan With(TurnPlan plan, TokenLog next, ContextRoom room)
    {
        LogCut cut = next.Cut!;
        DroppedMessage[] dropped = [.. cut.Dropped.Where(one => one.Version == plan.Version)];
        int[] prompt = _services.Encoder.PromptFor(next);
        return plan with
        {
            Next = next,
            Prompt = prompt,
            Cut = new()
            {
                Policy = plan.Policy,
                MessagesDropped = dropped.Length,
                TokensDropped = dropped.Sum(one => one.Message.Tokens.Length),
                FirstDropped = dropped.Length > 0 ? dropped[0].Index : cut.Dropped[0].Index,
                MessagesKept = next.Messages.Length - cut.SummaryCount,
                TokensBeforeCut = next.CommonPrefix(plan.Next),
                FormerPromptTokens = plan.Prompt.Length,
                PromptTokens = prompt.Length,
                ContextTokens = room.ContextTokens,
                AnswerReserve = room.AnswerReserve,
            },
        };
    }

    // The model is asked behind the messages that go, so that it finds them in the cache.
    private async Task<TurnPlan> SummarizeAsync(TurnPlan plan, TurnPlan shorter, GenerationOptions options, ContextRoom room, int mostTokens, CancellationToken cancellationToken)
    {
        try
        {
            ChatMessage[] messages = [.. plan.Next.Messages[..EndOfDropped(plan, shorter).Place].Select(message => message.ToChatMessage()), SummaryRequest];
            int[] prompt = _services.Encoder.PromptFor(_services.Encoder.Encode(LogDraft.After(plan.Next, messages), options.Tools?.Definitions));
            if (prompt.Length + mostTokens > room.ContextTokens)
                return Unsummarized($"The messages to summarize and their summary have up to {prompt.Length + mostTokens} tokens; the context has {room.ContextTokens}.");
            (GenerationResult result, LoggedMessage summary) = await GenerateSummaryAsync(plan, prompt, options, mostTokens, cancellationToken).ConfigureAwait(false);
            if (string.IsNullOrWhiteSpace(summary.Content))
                return Unsummarized("The model's summary was empty.");
            TurnPlan summarized = With(plan, _services.Encoder.Encode(LogDraft.WithSummary(shorter.Next, SummaryRequest, summary), options.Tools?.Definitions), room);
            return summarized with
            {
                Cut = summarized.Cut! with
                {
                    Summary = new()
                    {
                        PromptTokens = result.PromptTokenCount,
                        CachedTokens = result.CachedTokenCount,
                        CompletionTokens = result.Choices[0].TokenIds.Count,
                    },
                },
            };
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            return Unsummarized(exception.Message);
        }

        TurnPlan Unsummarized(string failure) => shorter with { Cut = shorter.Cut! with { Policy = ContextPolicy.DropOldest, SummaryFailure = failure } };
    }

    private async Task<(GenerationResult Result, LoggedMessage Summary)> GenerateSummaryAsync(
        TurnPlan plan, int[] prompt, GenerationOptions options, int mostTokens, CancellationToken cancellationToken)
    {
        var request = new GenerationRequest
        {
            Prompt = prompt,
            Sampling = new SamplingOptions { Temperature = 0 },
            MaxNewTokens = mostTokens,
            Tenant = Key.Tenant,
            TenantSalt = _services.Salts.For(Key.Tenant, plan.CacheSalt),
            UseCache = options.UseCache,
        };
        Generation generation = _services.Engine.Submit(request, cancellationToken);
        LeaveToTheEngine();
        GenerationResult? result = null;
        try
        {
            result = await generation.Completion.ConfigureAwait(false);
            return result.Choices[0].FinishReason == FinishReason.Cancelled
                ? throw new OperationCanceledException("The turn was cancelled.", cancellationToken)
                : (result, _services.Encoder.ToMessage(result.Choices[0], calls: null));
        }
        finally
        {
            if (_state is not null)
            {
                _lease ??= Cache.Acquire(_root, _state.Log.Tokens.Span);

                // Nobody comes back to the request for the summary.
                if (options.UseCache)
                    Abandon((int[])[.. prompt, .. result?.Choices[0].TokenIds ?? []]);
            }
        }
    }
}
