using static KvTiers.Silo.Fields.Field;

namespace KvTiers.Silo.Fields;

/// <summary>The fields that chat and text completions have in common: OpenAI's, vLLM's and llama.cpp's.</summary>
internal static class SamplingFields
{
    private static readonly FieldTable StreamOptions = new("'stream_options'",
    [
        Honoured("include_usage", ValueKinds.Boolean, "true", "true: a last chunk without choices carries the usage."),
        Ignored("include_obfuscation", "Random characters that hide how long a chunk is; none are sent."),
        Refused("continuous_usage_stats", "usage in every chunk", "false"),
    ]);

    /// <summary>The fields.</summary>
    public static IReadOnlyList<Field> All { get; } =
    [
        Honoured("model", ValueKinds.Text, "\"tiny\"", "Name of the loaded model; any other is 404."),
        Honoured("max_tokens", ValueKinds.Integer, "5", "Most tokens to generate: at least 1, or −1 for no limit. What the context has no room for is left out."),
        Honoured("temperature", ValueKinds.Number, "0.7", "0 to 2; 0 takes the likeliest token always."),
        Honoured("top_p", ValueKinds.Number, "0.9", "0 to 1: the share of probability that is drawn from."),
        Honoured("presence_penalty", ValueKinds.Number, "0.5", "−2 to 2."),
        Honoured("frequency_penalty", ValueKinds.Number, "0.5", "−2 to 2."),
        Honoured("logit_bias", ValueKinds.Object, "{\"5\":-10}", "Token id → what is added to its logit, −100 to 100."),
        Honoured("seed", ValueKinds.Integer, "7", "Fixes the draw."),
        Honoured("n", ValueKinds.Integer, "2", "1 to 128 answers; 1 in a conversation."),
        Honoured("stop", ValueKinds.Text | ValueKinds.List, "[\"\\n\\n\"]", "At most 16 strings that end the answer."),
        Honoured("stream", ValueKinds.Boolean, "true", "Whether the answer comes piece by piece, as server-sent events."),
        Honoured("stream_options", ValueKinds.Object, "{\"include_usage\":true}", "How the pieces come; only with `stream`.") with { Inner = StreamOptions, With = "\"stream\":true" },
        Ignored("user", "Who asks, to the caller. Tenants are told apart by their API keys."),
        Ignored("metadata", "The caller's own notes on stored answers."),
        Ignored("store", "Whether the vendor keeps the answer for its dashboard; nothing is kept here."),
        Ignored("service_tier", "How fast, at what price."),
        .. FormFields.All,
        .. Vllm,
        .. LlamaCpp,
    ];

    private static IReadOnlyList<Field> Vllm =>
    [
        Honoured("top_k", ValueKinds.Integer, "5", "How many of the likeliest tokens are drawn from; 0 = all."),
        Honoured("min_p", ValueKinds.Number, "0.1", "0 to 1: drops tokens below this share of the likeliest one's probability."),
        Honoured("repetition_penalty", ValueKinds.Number, "1.1", "Above 0, at most 10: divides the logits of tokens that stand already; 1 = off."),
        Honoured("cache_salt", ValueKinds.Text, "\"salt\"", "1 to 1,024 characters: what is computed under one salt is never found under another, nor without one."),
        Honoured("min_tokens", ValueKinds.Integer, "1", "0 to `max_tokens`: until then nothing ends the answer, and no stop string is looked for."),
        Honoured("stop_token_ids", ValueKinds.List, "[5]", "At most 1,024 tokens that end the answer."),
        Honoured("bad_words", ValueKinds.List, "[\"bad\"]", "At most 64 texts that the answer never holds, however it is cut into tokens."),
        Honoured("include_stop_str_in_output", ValueKinds.Boolean, "true", "Whether what ended the answer (a stop string, a stop token's text) is its end."),
        Honoured("truncate_prompt_tokens", ValueKinds.Integer, "2", "Keeps so many of the prompt's last tokens; −1: as many as fit. Not in a conversation."),
        Honoured("prompt_logprobs", ValueKinds.Integer, "1", "0 to 20 alternatives beside each token of the prompt, which is then computed whole. Neither with `stream` nor in a conversation."),
        Refused("allowed_token_ids", "a list of tokens that may come"),
        Refused("skip_special_tokens", "special tokens in the answer's text", "true"),
        Ignored("spaces_between_special_tokens", "How special tokens are set apart; none are shown."),
        Refused("return_tokens_as_token_ids", "token ids in place of their texts", "false"),
        Refused("return_token_ids", "token ids beside the text", "false"),
        Honoured("use_beam_search", ValueKinds.Boolean, "true", "true: the likeliest answers as wholes, from `n` beams (`best_of` in text completions), at most 64. Nothing is drawn: not with a temperature above 0, other sampling, stops, `logprobs`, `stream`, or in a conversation."),
        Honoured("length_penalty", ValueKinds.Number, "1", "−10 to 10, 1 by default: an answer's log-probability ÷ (its tokens ^ this) is its score. Only with `use_beam_search`.") with { With = "\"use_beam_search\":true" },
        Refused("early_stopping", "ending a beam search before it is decided", "false"),
        Refused("structural_tag", "an answer held to tags"),
        Refused("guided_whitespace_pattern", "a pattern for white space"),
        Ignored("guided_decoding_backend", "Which library holds an answer to a form."),
        Ignored("priority", "Which request is served first."),
        Ignored("request_id", "The caller's name for the request; send the header x-request-id."),
        Refused("logits_processors", "code of the caller's that changes logits", "[]"),
        Refused("vllm_xargs", "arguments for vLLM's plugins", "{}"),
        Refused("kv_transfer_params", "moving blocks between vLLM's servers", "{}"),
        Refused("ec_transfer_params", "moving blocks between vLLM's servers", "{}"),
        Refused("watermarking", "a watermark in the answer", "false"),
        Refused("truncation_side", "shortening the prompt's end", "\"left\""),
        Refused("logprob_token_ids", "log probabilities of chosen tokens"),
        Refused("repetition_detection", "ending an answer that repeats itself"),
        Refused("return_token_offsets", "where tokens stand in the text", "false"),
        Refused("return_prompt_text", "the prompt's text beside the answer", "false"),
        Ignored("return_mm_kwargs", "About images, which are refused."),
        Ignored("routed_experts_prompt_start", "About a report of experts, which there is none of."),
        Ignored("session_id", "Which requests belong together: a hint where to compute; their prefixes are found anyhow."),
        Ignored("stream_interval", "How many tokens a chunk gathers; each has what has become certain."),
    ];

    private static IReadOnlyList<Field> LlamaCpp =>
    [
        Honoured("n_predict", ValueKinds.Integer, "2", "llama.cpp's name of `max_tokens`; both given must agree."),
        Honoured("repeat_penalty", ValueKinds.Number, "1.1", "llama.cpp's name of `repetition_penalty`; both given must agree."),
        Honoured("ignore_eos", ValueKinds.Boolean, "true", "Goes on past the end of the text."),
        Honoured("cache_prompt", ValueKinds.Boolean, "false", "false computes the whole prompt, and leaves nothing in the cache."),
        Refused("grammar_lazy", "an answer held to a grammar", "false"),
        Refused("grammar_triggers", "an answer held to a grammar", "[]"),
        Refused("repeat_last_n", "a window for the repetition penalty", "-1"),
        Refused("n_keep", "moving the context along", "0", "-1"),
        Refused("n_discard", "moving the context along", "0"),
        Refused("n_indent", "a least indentation", "0"),
        Refused("n_probs", "log probabilities under this name ('logprobs' gives them)", "0"),
        Refused("min_keep", "a least number of tokens to draw from", "0"),
        Refused("typical_p", "typical sampling", "1", "1.0"),
        Refused("top_n_sigma", "sampling by sigma", "-1", "-1.0", "0"),
        Refused("dynatemp_range", "a moving temperature", "0", "0.0"),
        Ignored("dynatemp_exponent", "Means something only with `dynatemp_range`."),
        Refused("xtc_probability", "sampling with excluded top choices", "0", "0.0"),
        Ignored("xtc_threshold", "Means something only with `xtc_probability`."),
        Refused("mirostat", "mirostat sampling", "0"),
        Ignored("mirostat_tau", "Means something only with `mirostat`."),
        Ignored("mirostat_eta", "Means something only with `mirostat`."),
        Refused("dry_multiplier", "a penalty on repeated phrases", "0", "0.0"),
        Ignored("dry_base", "Means something only with `dry_multiplier`."),
        Ignored("dry_allowed_length", "Means something only with `dry_multiplier`."),
        Ignored("dry_penalty_last_n", "Means something only with `dry_multiplier`."),
        Ignored("dry_sequence_breakers", "Means something only with `dry_multiplier`."),
        Refused("samplers", "an order of samplers"),
        Refused("t_max_predict_ms", "a bound on the time", "0", "-1"),
        Ignored("id_slot", "Which of llama.cpp's slots to use: a hint for its cache."),
        Refused("return_tokens", "token ids beside the text", "false"),
        Refused("return_progress", "reports of the prompt's progress", "false"),
        Refused("timings_per_token", "timings in every chunk", "false"),
        Refused("post_sampling_probs", "probabilities after sampling", "false"),
        Refused("response_fields", "a choice of the answer's fields", "[]"),
        Refused("lora", "adapters", "[]"),
        Refused("n_cmpl", "another name of 'n'", "1"),
        Refused("t_max_prompt_ms", "a bound on the time", "0", "-1"),
        Refused("adaptive_target", "adaptive sampling", "-1", "-1.0"),
        Ignored("adaptive_decay", "Means something only with `adaptive_target`."),
        Refused("reasoning_budget_tokens", "a budget for thinking", "-1"),
        Ignored("reasoning_budget_start_tag", "Means something only with `reasoning_budget_tokens`."),
        Ignored("reasoning_budget_end_tag", "Means something only with `reasoning_budget_tokens`."),
        Ignored("reasoning_budget_message", "Means something only with `reasoning_budget_tokens`."),
        Ignored("reasoning_budget_arm_immediately", "Means something only with `reasoning_budget_tokens`."),
        Refused("reasoning_in_content", "telling reasoning apart", "false"),
        Refused("thinking_forced_open", "thinking before the answer", "false"),
        Refused("chat_format", "a format of calls"),
        Refused("chat_parser", "a parser of calls"),
        Ignored("preserved_tokens", "Means something only with `grammar_triggers`."),
        Ignored("n_cache_reuse", "How llama.cpp's cache moves blocks; ours finds them where they are."),
        Ignored("backend_sampling", "Where tokens are drawn."),
        .. Speculative,
    ];

    private static IEnumerable<Field> Speculative =>
        new[] { "n_max", "n_min", "p_min", "type", "ngram_size_n", "ngram_size_m", "ngram_m_hits" }
            .Select(name => Ignored("speculative." + name, "Guessing ahead, which changes the speed alone; it is not done."));
}
