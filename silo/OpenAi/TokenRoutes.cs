using KvTiers.Conversations;
using KvTiers.Inference.Tokens;
using KvTiers.Silo.Fields;
using KvTiers.Silo.Http;
using KvTiers.Silo.Models;

namespace KvTiers.Silo.OpenAi;

/// <summary><c>POST /tokenize</c>, <c>/detokenize</c> and <c>/apply-template</c>, in vLLM's and llama.cpp's shapes at once.</summary>
internal sealed class TokenRoutes(ModelHost host, RequestReader reader)
{
    /// <summary>Adds the routes.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/tokenize", TokenizeAsync).WithSummary("A text or a chat as token ids.").WithMetadata(new RequestFields(() => TokenFields.Tokenize));
        routes.MapPost("/detokenize", DetokenizeAsync).WithSummary("Token ids as text.").WithMetadata(new RequestFields(() => TokenFields.Detokenize));
        routes.MapPost("/apply-template", ApplyTemplateAsync).WithSummary("A chat as the model's template writes it.").WithMetadata(new RequestFields(() => TokenFields.ApplyTemplate));
    }

    private async Task TokenizeAsync(HttpContext context)
    {
        LoadedModel model = host.Model;
        TokenizeRequest request = await reader.ReadAsync<TokenizeRequest>(context.Request, TokenFields.Tokenize, context.RequestAborted);
        model.CheckName(request.Model);
        int[] ids = Ids(request, model);
        await SiloJson.WriteAsync(context.Response, StatusCodes.Status200OK, new
        {
            Count = ids.Length,
            MaxModelLen = model.Config.ContextLength,
            Tokens = request.WithPieces == true ? (object)ids.Select(id => new TokenPiece(id, TokenText.Of(id, model.Tokenizer))) : ids,
            TokenStrs = request.ReturnTokenStrs == true ? ids.Select(id => TokenText.Of(id, model.Tokenizer)) : null,
        }, context.RequestAborted);
    }

    private static int[] Ids(TokenizeRequest request, LoadedModel model)
    {
        if (request.Messages is { } messages)
        {
            if (request.Prompt is not null || request.Content is not null) throw OnlyOne("messages");
            return ChatRules.Template(model.Chat, request.ChatTemplateKwargs).Encode(ChatRules.Messages(messages), request.AddGenerationPrompt ?? true, Tools(request)).Ids;
        }

        if (request is { Prompt: not null, Content: not null }) throw OnlyOne("content");
        if (request.ChatTemplateKwargs is not null) throw ApiException.BadRequest("'chat_template_kwargs' is only allowed with 'messages'.", "chat_template_kwargs");
        if (request.Tools is { Count: > 0 }) throw ApiException.BadRequest("'tools' is only allowed with 'messages'.", "tools");
        if (request.AddGenerationPrompt is not null) throw ApiException.BadRequest("'add_generation_prompt' is only allowed with 'messages'.", "add_generation_prompt");
        string text = request.Prompt ?? request.Content ?? throw ApiException.BadRequest("'prompt' is missing.", "prompt", ApiException.MissingParameter);
        return model.Tokenizer.Encode(text, request.ParseSpecial ?? true, request.AddSpecialTokens ?? request.AddSpecial ?? true);
    }

    private static IReadOnlyList<ToolDefinition>? Tools(TokenizeRequest request) => ToolRules.Check(request.Tools, null, null)?.Definitions;

    private static ApiException OnlyOne(string param) => ApiException.BadRequest("'prompt', 'content' and 'messages' exclude each other.", param);

    private async Task DetokenizeAsync(HttpContext context)
    {
        LoadedModel model = host.Model;
        DetokenizeRequest request = await reader.ReadAsync<DetokenizeRequest>(context.Request, TokenFields.Detokenize, context.RequestAborted);
        model.CheckName(request.Model);
        IReadOnlyList<int> tokens = request.Tokens ?? throw ApiException.BadRequest("'tokens' is missing.", "tokens", ApiException.MissingParameter);
        for (int i = 0; i < tokens.Count; i++)
        {
            if (tokens[i] < 0 || tokens[i] >= model.Config.Vocabulary)
                throw ApiException.BadRequest($"'tokens[{i}]' is {tokens[i]}; it must be a token id from 0 to {model.Config.Vocabulary - 1}.", $"tokens[{i}]");
        }

        string text = model.Tokenizer.Decode([.. tokens], skipSpecial: false);
        await SiloJson.WriteAsync(context.Response, StatusCodes.Status200OK, new { Prompt = text, Content = text }, context.RequestAborted);
    }

    private async Task ApplyTemplateAsync(HttpContext context)
    {
        LoadedModel model = host.Model;
        TokenizeRequest request = await reader.ReadAsync<TokenizeRequest>(context.Request, TokenFields.ApplyTemplate, context.RequestAborted);
        model.CheckName(request.Model);
        RenderedPrompt prompt = ChatRules.Template(model.Chat, request.ChatTemplateKwargs).Template.Render(ChatRules.Messages(request.Messages), request.AddGenerationPrompt ?? true, Tools(request));
        await SiloJson.WriteAsync(context.Response, StatusCodes.Status200OK, new { Prompt = prompt.Text }, context.RequestAborted);
    }
}
