using System.Collections.Immutable;
using BenchmarkDotNet.Attributes;
using KvTiers.Conversations;
using KvTiers.Keys;
using KvTiers.Sessions.Changes;
using KvTiers.Sessions.Log;
using KvTiers.Sessions.Serialization;

namespace KvTiers.Bench.Micro;

/// <summary>A conversation of 27 turns, 143 KB as a record: what a store writes when it compacts, and reads when the conversation returns.</summary>
public class ConversationRecordBenchmarks
{
    private const int Turns = 27;
    private const int Characters = 1500;
    private const int Tokens = 375;
    private static readonly ConversationKey Key = new("tenant", "conversation");
    private ConversationState? _state;
    private static readonly byte[] Place = RecordSealer.ContextOf("redis", "tenant", "conversation", "1");
    private static readonly RecordSealer Authenticating = new(new RecordProtection(new KeyRing(new RecordKey(new byte[RecordKey.ByteCount]))));
    private static readonly RecordSealer Encrypting = new(new RecordProtection(new KeyRing(new RecordKey(new byte[RecordKey.ByteCount]))) { Encrypts = true });
    private byte[]? _record;
    private byte[]? _authentic;
    private byte[]? _encrypted;

    [GlobalSetup]
    public void Setup()
    {
        var random = new Random(1);
        ConversationState state = ConversationState.Create(Key, new()
        {
            At = DateTimeOffset.UnixEpoch,
            Incarnation = new(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11),
            Model = "model",
            Vocabulary = "vocabulary",
            Messages = [],
        });
        for (int turn = 0; turn < Turns; turn++)
        {
            TokenLog next = state.Log.Add(Message(random, "user")).Add(Message(random, "assistant"));
            state = state.Apply(LogChanged.Between(state.Log, next, DateTimeOffset.UnixEpoch));
        }

        _state = state;
        _record = EncodeToArray();
        _authentic = EncodeAuthentic();
        _encrypted = EncodeEncrypted();
        Console.WriteLine($"The record has {_record.Length} bytes.");
        if (!Decode().Log.SameAs(state.Log))
            throw new InvalidOperationException("The record is not that of the conversation.");
    }

    [Benchmark]
    public int Encode()
    {
        using var buffer = new RecordBuffer();
        ConversationRecord.Write(buffer, _state!);
        return buffer.Length;
    }

    /// <summary>As Redis is given it.</summary>
    [Benchmark]
    public byte[] EncodeToArray()
    {
        using var buffer = new RecordBuffer();
        ConversationRecord.Write(buffer, _state!);
        return buffer.Written.ToArray();
    }

    [Benchmark]
    public byte[] EncodeAuthentic() => Encode(Authenticating);

    [Benchmark]
    public byte[] EncodeEncrypted() => Encode(Encrypting);

    [Benchmark]
    public ConversationState DecodeAuthentic() => ConversationRecord.Apply(Key, null, Authenticating.Open(_authentic, Place, out _));

    [Benchmark]
    public ConversationState DecodeEncrypted() => ConversationRecord.Apply(Key, null, Encrypting.Open(_encrypted, Place, out _));

    [Benchmark]
    public ConversationState Decode() => ConversationRecord.Apply(Key, null, _record);

    private byte[] Encode(RecordSealer sealer)
    {
        using var buffer = new RecordBuffer();
        sealer.Write(buffer, Place, output => ConversationRecord.Write(output, _state!));
        return buffer.Written.ToArray();
    }

    private static LoggedMessage Message(Random random, string role) => new(
        role,
        string.Create(Characters, random, static (text, random) =>
        {
            for (int i = 0; i < text.Length; i++)
                text[i] = random.Next(100) == 0 ? 'é' : (char)random.Next('a', 'z' + 1);
        }),
        ImmutableArray.CreateRange(Enumerable.Range(0, Tokens).Select(_ => random.Next(49152))));
}
