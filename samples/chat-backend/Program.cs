using KvTiers.Client;
using KvTiers.Conversations;
using KvTiers.Samples.ChatBackend;

const string Tenant = KvTiersClientOptions.DefaultTenant;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddKvTiersClient(options => builder.Configuration.GetSection("KvTiers").Bind(options));
builder.Services.AddProblemDetails();
builder.Services.AddExceptionHandler<ConversationErrors>();

var app = builder.Build();
app.UseExceptionHandler();
string systemPrompt = app.Configuration["SystemPrompt"] ?? "You are a helpful assistant.";

// The server keeps the messages and their K and V; this back end keeps nothing.
app.MapPost("/chats", async (IConversations conversations, CancellationToken cancellationToken) =>
{
    CreateConversation request = new() { Messages = [new ChatMessage("system", systemPrompt)] };
    ConversationView chat = await conversations.CreateAsync(Tenant, request, cancellationToken);
    return TypedResults.Created($"/chats/{chat.Id}", chat);
});

app.MapGet("/chats/{id}", (string id, IConversations conversations, CancellationToken cancellationToken) =>
    conversations.GetAsync(new ConversationKey(Tenant, id), cancellationToken));

app.MapPost("/chats/{id}/messages", (string id, Message message, IConversations conversations, CancellationToken cancellationToken) =>
{
    TurnRequest turn = new() { Messages = [new ChatMessage("user", message.Text)] };
    return AnswerStream.StartAsync(conversations.TurnAsync(new ConversationKey(Tenant, id), turn, cancellationToken));
});

// Computes from the first token that changed; what came before is found.
app.MapPut("/chats/{id}/messages/{index:int}", async (string id, int index, Message message, IConversations conversations, CancellationToken cancellationToken) =>
{
    ConversationKey chat = new(Tenant, id);
    await conversations.EditAsync(chat, new EditRequest { Index = index, Content = message.Text, DropLater = true }, cancellationToken);
    return await AnswerStream.StartAsync(conversations.RegenerateAsync(chat, new GenerationOptions(), cancellationToken));
});

app.MapDelete("/chats/{id}", (string id, IConversations conversations, CancellationToken cancellationToken) =>
    conversations.DeleteAsync(new ConversationKey(Tenant, id), cancellationToken));

app.Run();

internal sealed record Message(string Text);
