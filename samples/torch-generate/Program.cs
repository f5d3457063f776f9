using System.Reflection;
using KvTiers.Samples.TorchGenerate;

// Not asked for where the build left it out: TorchSharp would copy half a gigabyte out of the user's package folder, if it is there.
if (typeof(Sample).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "Torch").Value is not { Length: > 0 })
{
    Console.Error.WriteLine("Built without libtorch. With it: dotnet run --project samples/torch-generate -c Release -p:Torch=cpu");
    return 1;
}

try
{
    await new Sample(Settings.Read(args), Console.Out).RunAsync();
    return 0;
}
catch (ArgumentException exception)
{
    Console.Error.WriteLine(exception.Message);
    return 2;
}
catch (Exception exception) when (exception is TypeInitializationException or NotSupportedException)
{
    Console.Error.WriteLine($"libtorch does not load here; docs/torchsharp.md says what it needs. {exception.GetBaseException().Message}");
    return 1;
}
