return await KvTiers.Silo.Hosting.SiloProgram.RunAsync(args);
