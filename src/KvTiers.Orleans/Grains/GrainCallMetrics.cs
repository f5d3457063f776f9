using KvTiers.Orleans.Hosting;

namespace KvTiers.Orleans.Grains;

/// <summary>Counts and times the calls that conversations of this silo take. Of a turn that comes from another silo, each message of events is one.</summary>
internal sealed class GrainCallMetrics(OrleansMetrics metrics, TimeProvider time) : IIncomingGrainCallFilter
{
    public async Task Invoke(IIncomingGrainCallContext context)
    {
        if (context.Grain is not ConversationGrain)
        {
            await context.Invoke();
            return;
        }

        long start = time.GetTimestamp();
        bool failed = true;
        try
        {
            await context.Invoke();
            failed = context.Response?.Exception is not null;
        }
        finally
        {
            metrics.Called(context.MethodName, failed, time.GetElapsedTime(start).TotalSeconds);
        }
    }
}
