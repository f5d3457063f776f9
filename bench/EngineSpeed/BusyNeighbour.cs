using System.Diagnostics;

namespace KvTiers.Bench.EngineSpeed;

/// <summary>Another process, at the same priority, that never lets go of one processor; gone when disposed.</summary>
internal sealed class BusyNeighbour : IDisposable
{
    /// <summary>The command line's word for being such a process.</summary>
    public const string Command = "spin";

    private readonly Process _process;

    /// <summary>Starts it on the last processor, and waits until it runs.</summary>
    public BusyNeighbour()
    {
        ProcessStartInfo start = new(Environment.ProcessPath!) { RedirectStandardInput = true, RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet")
            start.ArgumentList.Add(Environment.GetCommandLineArgs()[0]);
        start.ArgumentList.Add(Command);
        _process = Process.Start(start)!;
        if (OperatingSystem.IsLinux() || OperatingSystem.IsWindows())
            _process.ProcessorAffinity = (nint)1 << Math.Min(Environment.ProcessorCount, 64) - 1;
        _process.StandardOutput.ReadLine();
    }

    /// <summary>Is such a process: says so, and turns until its input ends.</summary>
    public static void Spin()
    {
        bool isWanted = true;
        Thread watch = new(() =>
        {
            Console.In.Read();
            Volatile.Write(ref isWanted, false);
        });
        watch.Start();
        Console.WriteLine(Command);
        while (Volatile.Read(ref isWanted))
        {
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }
}
