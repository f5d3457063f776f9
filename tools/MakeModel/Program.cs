using System.CommandLine;
using KvTiers.MakeModel;

var shape = new Option<string>("--shape")
{
    Description = "Which model's dimensions to use.",
    Required = true,
};
shape.AcceptOnlyFromAmong([.. ModelShape.All.Select(known => known.Name)]);
var seed = new Option<long>("--seed") { Description = "Same seed, same weights.", DefaultValueFactory = _ => 1 };
var type = new Option<string>("--dtype") { Description = "Element type of the weights.", DefaultValueFactory = _ => "bf16" };
type.AcceptOnlyFromAmong("f32", "f16", "bf16");
var output = new Option<DirectoryInfo>("--out") { Description = "Folder to write; created when needed.", Required = true };

var command = new RootCommand("Writes a Hugging Face folder of random weights, for tests and benchmarks.") { shape, seed, type, output };
command.SetAction(result =>
{
    ModelShape chosen = ModelShape.Find(result.GetRequiredValue(shape));
    string folder = result.GetRequiredValue(output).FullName;
    RandomModel.Write(chosen, folder, new RandomModelOptions
    {
        Seed = result.GetValue(seed),
        Type = Enum.Parse<TensorType>(result.GetValue(type)!, ignoreCase: true),
    });
    Console.WriteLine($"{chosen.Name}, seed {result.GetValue(seed)}, {result.GetValue(type)}: {folder}");
});
return command.Parse(args).Invoke();
