using KvTiers.Cli.Chat;

namespace KvTiers.Cli.Tests.Chat;

public class ChatInputTests
{
    [Theory]
    [InlineData("  Hello  ", null, "Hello")]
    [InlineData("/help", "help", "")]
    [InlineData("/edit 2  My name is Ada. ", "edit", "2  My name is Ada.")]
    [InlineData("//path/to", null, "/path/to")]
    [InlineData("/", "", "")]
    [InlineData("   ", null, "")]
    public void ASlashMakesACommand(string line, string? command, string text) =>
        Assert.Equal(new ChatInput(command, text), ChatInput.Parse(line));

    [Theory]
    [InlineData("2 new text", 2, "new text")]
    [InlineData("12", 12, "")]
    public void ANumberComesBeforeTheRest(string arguments, int number, string rest) =>
        Assert.Equal((number, rest), new ChatInput("edit", arguments).NumberAndRest());

    [Theory]
    [InlineData("0 text")]
    [InlineData("-1 text")]
    [InlineData("x text")]
    [InlineData("")]
    [InlineData("99999999999 text")]
    public void WhatIsNoPositiveNumberIsNone(string arguments) => Assert.Null(new ChatInput("edit", arguments).NumberAndRest());
}
