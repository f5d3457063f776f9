using KvTiers.Samples.TorchGenerate;

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
catch (TypeInitializationException)
{
    Console.Error.WriteLine("libtorch is not there. Build with it: dotnet run --project samples/torch-generate -c Release -p:Torch=cpu");
    return 1;
}
