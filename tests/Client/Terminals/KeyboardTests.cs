using KvTiers.Cli.Terminals;

namespace KvTiers.Cli.Tests.Terminals;

public class KeyboardTests
{
    [Fact]
    public async Task ControlCCancelsTheWork()
    {
        var keys = new FakeKeys();
        var keyboard = new Keyboard(keys);

        Task work = keyboard.RunAsync(cancellationToken => Task.Delay(Timeout.Infinite, cancellationToken), CancellationToken.None);
        keys.Control(ConsoleKey.C);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => work);
    }

    [Fact]
    public async Task WhatIsTypedDuringTheWorkWaitsForTheNextLine()
    {
        var keys = new FakeKeys().Type("ab");
        var keyboard = new Keyboard(keys);
        var typed = new TaskCompletionSource();
        keys.Type("c");

        Task work = keyboard.RunAsync(_ => typed.Task, CancellationToken.None);
        typed.SetResult();
        await work;
        keys.Type("d");

        string read = "";
        while (read.Length < 4)
            read += (await keyboard.ReadAsync(CancellationToken.None))!.Value.KeyChar;
        Assert.Equal("abcd", read);
    }

    [Fact]
    public async Task WorkOutlivesATerminalThatIsGone()
    {
        var keys = new FakeKeys();
        keys.HangUp();
        bool done = false;

        await new Keyboard(keys).RunAsync(async _ =>
        {
            await Task.Yield();
            done = true;
        }, CancellationToken.None);

        Assert.True(done);
    }
}
