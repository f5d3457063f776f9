using KvTiers.Conversations;
using Microsoft.Extensions.Options;

namespace KvTiers.Client;

/// <summary>The rules of <see cref="KvTiersClientOptions"/>; a message names property, value and rule.</summary>
internal sealed class KvTiersClientOptionsValidator : IValidateOptions<KvTiersClientOptions>
{
    public ValidateOptionsResult Validate(string? name, KvTiersClientOptions options)
    {
        List<string> failures = [];
        if (options.BaseAddress is not { IsAbsoluteUri: true, Scheme: "http" or "https", Query: "", Fragment: "" })
            failures.Add($"BaseAddress = '{options.BaseAddress}': must be an absolute http or https URL without query or fragment.");
        if (options.ApiKey is { } key && (key.Length == 0 || key.Any(c => !char.IsBetween(c, '!', '~'))))
            failures.Add("ApiKey = (hidden): must be one or more printable ASCII characters without spaces.");
        try
        {
            ConversationKey.Validate(options.Tenant, nameof(options.Tenant));
        }
        catch (ArgumentException exception)
        {
            failures.Add($"Tenant = '{options.Tenant}': {exception.Message}");
        }

        if (options.Model is { } model && string.IsNullOrWhiteSpace(model))
            failures.Add($"Model = '{model}': must not be blank.");
        if (options.SilenceLimit <= TimeSpan.Zero || options.SilenceLimit > KvTiersClientOptions.MaxSilenceLimit)
            failures.Add($"SilenceLimit = '{options.SilenceLimit}': must be above zero and at most {KvTiersClientOptions.MaxSilenceLimit}.");
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    /// <exception cref="OptionsValidationException">A rule is broken.</exception>
    public static void ThrowIfInvalid(KvTiersClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ValidateOptionsResult result = new KvTiersClientOptionsValidator().Validate(null, options);
        if (result.Failed)
            throw new OptionsValidationException(nameof(KvTiersClientOptions), typeof(KvTiersClientOptions), result.Failures);
    }
}
