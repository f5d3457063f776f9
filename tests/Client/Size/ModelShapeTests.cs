using KvTiers.Cli.Outcomes;
using KvTiers.Cli.Size;

namespace KvTiers.Cli.Tests.Size;

public sealed class ModelShapeTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("kvtiers-test").FullName;

    public void Dispose() => Directory.Delete(_folder, true);

    [Fact]
    public void LlamaNamesAreRead() => Assert.Equal(
        new ModelShape(16, 32, 8, 64, 131072, null, ElementType.Bf16),
        Read("""{"num_hidden_layers":16,"num_attention_heads":32,"num_key_value_heads":8,"head_dim":64,"hidden_size":2048,"max_position_embeddings":131072,"torch_dtype":"bfloat16"}"""));

    [Fact]
    public void Gpt2NamesAreRead() => Assert.Equal(
        new ModelShape(12, 12, 12, 64, 1024, null, null), Read("""{"n_layer":12,"n_head":12,"n_embd":768,"n_positions":1024}"""));

    [Fact]
    public void TheTextPartOfAModelThatSeesIsRead() => Assert.Equal(
        new ModelShape(2, 4, 4, 8, null, null, null), Read("""{"text_config":{"num_hidden_layers":2,"num_attention_heads":4,"hidden_size":32}}"""));

    [Theory]
    [InlineData("", 4096)]
    [InlineData(""","use_sliding_window":true""", 4096)]
    [InlineData(""","use_sliding_window":false""", null)]
    public void AWindowThatIsSwitchedOffIsNone(string more, int? window) => Assert.Equal(
        window, Read($$"""{"num_hidden_layers":2,"num_attention_heads":4,"hidden_size":32,"sliding_window":4096{{more}}}""").Window);

    [Theory]
    [InlineData("{", "is not a model's configuration")]
    [InlineData("[]", "is not a model's configuration")]
    [InlineData("""{"num_hidden_layers":2}""", "does not say num_attention_heads")]
    [InlineData("""{"num_hidden_layers":-2,"num_attention_heads":4,"hidden_size":32}""", "num_hidden_layers is -2; it must be a positive whole number")]
    [InlineData("""{"num_hidden_layers":"2","num_attention_heads":4,"hidden_size":32}""", "num_hidden_layers is \"2\"")]
    [InlineData("""{"num_hidden_layers":2,"num_attention_heads":5,"hidden_size":32}""", "hidden_size 32 is no multiple of 5 heads")]
    public void WhatIsWrongIsNamed(string json, string message) => Assert.Contains(message, Assert.Throws<CliException>(() => Read(json)).Message);

    private ModelShape Read(string json)
    {
        File.WriteAllText(Path.Combine(_folder, "config.json"), json);
        return ModelShape.Read(_folder);
    }
}
