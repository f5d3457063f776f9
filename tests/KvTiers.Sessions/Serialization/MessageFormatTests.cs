using System.Buffers;
using KvTiers.Serialization;
using KvTiers.Sessions.Log;
using KvTiers.Sessions.Serialization;
using MessagePack;

namespace KvTiers.Sessions.Tests.Serialization;

public sealed class MessageFormatTests
{
    private static readonly LoggedMessage Full = new("assistant", "I look.", [1, 70000])
    {
        Name = "Ann",
        ReasoningContent = "Weather? 😀",
        ToolCallId = "call_0",
        ToolsShown = "00ff",
        ToolCalls = [new("call_1", "get_weather", "{\"city\": \"Ulm\"}"), new("call_2", "now", "{}")],
    };

    [Fact]
    public void AllOfAMessageComesBack()
    {
        LoggedMessage back = Read(Written(Full));
        Assert.True(back.SameAs(Full));
        Assert.Equal(Full.ToolCalls, back.ToolCalls);
        Assert.Equal(("Ann", "Weather? 😀", "call_0", "00ff"), (back.Name, back.ReasoningContent, back.ToolCallId, back.ToolsShown));
    }

    [Fact]
    public void AMessageOfTextAloneHasTheThreePartsThatItAlwaysHad()
    {
        byte[] bytes = Written(new("user", "Hello", [7]));
        Assert.Equal((byte)0x93, bytes[0]);
        Assert.True(Read(bytes).SameAs(new("user", "Hello", [7])));
    }

    [Fact]
    public void WhatALaterBuildAddsIsPassedOver()
    {
        byte[] bytes = Bytes((ref writer) =>
        {
            writer.WriteArrayHeader(5);
            writer.WriteText("user");
            writer.WriteText("Hello");
            writer.WriteNumbers([7]);
            writer.WriteMapHeader(2);
            writer.WriteText("mood");
            writer.Write(3);
            writer.WriteText("name");
            writer.WriteText("Ann");
            writer.WriteText("later");
        });
        Assert.True(Read(bytes).SameAs(new("user", "Hello", [7]) { Name = "Ann" }));
    }

    [Fact]
    public void DamagedDetailsAreDamage()
    {
        byte[] whole = Written(Full);
        for (int length = 0; length < whole.Length; length++)
            Assert.Throws<FormatException>(() => Read(whole[..length]));
        Assert.Throws<FormatException>(() => Read(Bytes((ref writer) =>
        {
            writer.WriteArrayHeader(4);
            writer.WriteText("user");
            writer.WriteText("Hello");
            writer.WriteNumbers([7]);
            writer.WriteNil();
        })));
    }

    [Theory]
    [InlineData("{\"a\":1,\"b\":\"é\"}", "{ \"b\" : \"\\u00e9\", \"a\" : 1 }", true)]
    [InlineData("{\"a\":1}", "{\"a\":1.0}", true)]
    [InlineData("{\"a\":1}", "{\"a\":\"1\"}", false)]
    [InlineData("{\"a\":", "{\"a\":", true)]
    [InlineData("{\"a\":", "{\"a\": ", false)]
    public void CallsAreComparedByWhatTheyAskFor(string arguments, string others, bool same)
    {
        var message = new LoggedMessage("assistant", "", []) { ToolCalls = [new("call_1", "f", arguments)] };
        Assert.Equal(same, message.Says(new("assistant", "") { ToolCalls = [new("another id", "f", others)] }));
        Assert.False(message.Says(new("assistant", "") { ToolCalls = [new("call_1", "g", arguments)] }));
        Assert.False(message.Says(new("assistant", "")));
    }

    private delegate void Writing(ref MessagePackWriter writer);

    private static byte[] Written(LoggedMessage message) => Bytes((ref writer) => MessageFormat.Write(ref writer, message));

    private static byte[] Bytes(Writing write)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(output);
        write(ref writer);
        writer.Flush();
        return output.WrittenSpan.ToArray();
    }

    private static LoggedMessage Read(byte[] bytes) => StrictMessagePack.Decode(bytes, MessageFormat.Read);
}
