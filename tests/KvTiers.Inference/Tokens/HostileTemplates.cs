using System.Text;

namespace KvTiers.Inference.Tests.Tokens;

/// <summary>Templates that would take for ever, or all memory, or the whole stack.</summary>
internal static class HostileTemplates
{
    private const string Doubled = "{% set ns = namespace(s='x') %}{% for i in range(18) %}{% set ns.s = ns.s + ns.s %}{% endfor %}";
    private const string Letters = "{% set ns = namespace(s='ab') %}{% for i in range(16) %}{% set ns.s = ns.s + ns.s %}{% endfor %}";

    /// <summary>Name and source of each that must end with an error.</summary>
    public static IReadOnlyDictionary<string, string> All { get; } = new Dictionary<string, string>
    {
        // Deep values.
        ["== of lists nested 500,000 deep"] = "{% set ns = namespace(a=[], b=[]) %}{% for i in range(500000) %}{% set ns.a = [ns.a] %}{% set ns.b = [ns.b] %}{% endfor %}{{ ns.a == ns.b }}",
        ["== of lists nested 5,000 deep"] = "{% set ns = namespace(a=[], b=[]) %}{% for i in range(5000) %}{% set ns.a = [ns.a] %}{% set ns.b = [ns.b] %}{% endfor %}{{ ns.a == ns.b }}",
        ["in of deep mappings"] = "{% set ns = namespace(a={}, b={}) %}{% for i in range(5000) %}{% set ns.a = {'k': ns.a} %}{% set ns.b = {'k': ns.b} %}{% endfor %}{{ ns.a in [ns.b] }}",
        ["unique of deep lists"] = "{% set ns = namespace(a=[], b=[]) %}{% for i in range(5000) %}{% set ns.a = [ns.a] %}{% set ns.b = [ns.b] %}{% endfor %}{{ [ns.a, ns.b] | unique | length }}",
        ["is eq of deep lists"] = "{% set ns = namespace(a=[], b=[]) %}{% for i in range(5000) %}{% set ns.a = [ns.a] %}{% set ns.b = [ns.b] %}{% endfor %}{{ [ns.a] | select('eq', ns.b) | length }}",
        ["tojson of a deep list"] = "{% set ns = namespace(a=[]) %}{% for i in range(5000) %}{% set ns.a = [ns.a] %}{% endfor %}{{ ns.a | tojson }}",
        ["tojson of a list in itself"] = "{% set a = [] %}{% set x = a.append(a) %}{{ a | tojson }}",
        ["== of lists in themselves"] = "{% set a = [] %}{% set b = [] %}{% set x = a.append(a) %}{% set y = b.append(b) %}{{ a == b }}",
        ["tojson of a mapping in itself through a list"] = "{% set a = [] %}{% set m = {'a': a} %}{% set x = a.append(m) %}{{ m | tojson(indent=2) }}",
        ["tojson of a namespace in itself"] = "{% set ns = namespace() %}{% set ns.me = ns %}{{ [ns.me.me.me.me] | tojson }}",

        // Doubling.
        ["doubling +"] = "{% set ns = namespace(s='x') %}{% for i in range(60) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
        ["doubling ~"] = "{% set ns = namespace(s=messages[0].content) %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
        ["doubling join"] = "{% set ns = namespace(s='x') %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] | join %}{% endfor %}",
        ["doubling join method"] = "{% set ns = namespace(s='x') %}{% for i in range(60) %}{% set ns.s = ns.s.join([ns.s, ns.s]) %}{% endfor %}",
        ["doubling replace"] = "{% set ns = namespace(s='x') %}{% for i in range(60) %}{% set ns.s = ns.s | replace('x', 'xx') %}{% endfor %}",
        ["squaring replace"] = "{% set ns = namespace(s='xx') %}{% for i in range(60) %}{% set ns.s = ns.s.replace('x', ns.s) %}{% endfor %}",
        ["doubling block"] = "{% set ns = namespace(s='x') %}{% for i in range(60) %}{% set b %}{{ ns.s }}{{ ns.s }}{% endset %}{% set ns.s = b %}{% endfor %}",
        ["doubling macro"] = "{% macro m(s) %}{{ s }}{{ s }}{% endmacro %}{% set ns = namespace(s='x') %}{% for i in range(60) %}{% set ns.s = m(ns.s) %}{% endfor %}",
        ["doubling list"] = "{% set ns = namespace(a=[1]) %}{% for i in range(60) %}{% set ns.a = ns.a + ns.a %}{% endfor %}",
        ["doubling map"] = "{% set ns = namespace(a=[1]) %}{% for i in range(60) %}{% set ns.a = (ns.a + ns.a) | map('string') | list %}{% endfor %}",
        ["doubling escapes"] = "{% set ns = namespace(s='\"') %}{% for i in range(60) %}{% set ns.s = ns.s | tojson %}{% endfor %}",
        ["doubling tojson"] = "{% set ns = namespace(a=[1]) %}{% for i in range(40) %}{% set ns.a = [ns.a, ns.a] %}{% endfor %}{{ ns.a | tojson }}",
        ["doubling tojson of mappings"] = "{% set ns = namespace(a={}) %}{% for i in range(40) %}{% set ns.a = {'l': ns.a, 'r': ns.a} %}{% endfor %}{{ ns.a | tojson(indent=16) }}",
        ["doubling =="] = "{% set ns = namespace(a=[1], b=[1]) %}{% for i in range(40) %}{% set ns.a = [ns.a, ns.a] %}{% set ns.b = [ns.b, ns.b] %}{% endfor %}{{ ns.a == ns.b }}",
        ["doubling == of mappings"] = "{% set ns = namespace(a={}, b={}) %}{% for i in range(40) %}{% set ns.a = {'l': ns.a, 'r': ns.a} %}{% set ns.b = {'l': ns.b, 'r': ns.b} %}{% endfor %}{{ ns.a != ns.b }}",
        ["doubling content ranges"] = "{% set ns = namespace(s=messages[0].content[:1] + 'x') %}{% for i in range(60) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",

        // The same again and again.
        ["replace on a large text"] = Doubled + "{% for i in range(100000) %}{% set t = ns.s | replace('x', 'y') %}{% endfor %}",
        ["replace of nothing found"] = Doubled + "{% for i in range(100000) %}{% set t = ns.s | replace('y', 'x') %}{% endfor %}",
        ["count on a large text"] = Doubled + "{% for i in range(100000) %}{% set t = ns.s.count('x') %}{% endfor %}",
        ["find in a large text"] = Doubled + "{% for i in range(100000) %}{% set t = ns.s.find('y') %}{% endfor %}",
        ["in of a text that nearly stands everywhere"] = Letters + "{% set n = ns.s[:60000] + 'xb' %}{% for i in range(100000) %}{% set t = n in ns.s %}{% endfor %}",
        ["split by a text that nearly stands everywhere"] = Letters + "{% set n = ns.s[:60000] + 'xb' %}{% for i in range(100000) %}{% set t = ns.s.split(n) %}{% endfor %}",
        ["in of a short text that nearly stands everywhere"] = Letters + "{% for i in range(100000) %}{% set t = 'abababababababababababababababxb' in ns.s %}{% endfor %}",
        ["split into letters"] = Doubled + "{% for i in range(1000) %}{% set t = ns.s.split('x') %}{% endfor %}",
        ["split and join"] = "{% set ns = namespace(s='x ') %}{% for i in range(1000) %}{% set ns.s = ns.s.split() | join(' x ') ~ ' y y' %}{% endfor %}",
        ["splitlines"] = "{% set ns = namespace(s='\\n') %}{% for i in range(18) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{% for i in range(1000) %}{% set t = ns.s.splitlines() %}{% endfor %}",
        ["upper on a large text"] = Doubled + "{% for i in range(100000) %}{% set t = ns.s | upper %}{% endfor %}",
        ["title on a large text"] = Doubled + "{% for i in range(100000) %}{% set t = ns.s.title() %}{% endfor %}",
        ["is upper on a large text"] = Doubled + "{% for i in range(100000) %}{% set t = ns.s is upper %}{% endfor %}",
        ["isdigit on a large text"] = "{% set ns = namespace(s='1') %}{% for i in range(18) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{% for i in range(100000) %}{% set t = ns.s.isdigit() or ns.s | int or ns.s | float %}{% endfor %}",
        ["trim by a large text"] = Doubled + "{% for i in range(100000) %}{% set t = ns.s | trim('abcdefghijklmnopqrstuvw' ~ ns.s) %}{% endfor %}",
        ["trim of white space"] = "{% set ns = namespace(s=' ') %}{% for i in range(18) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{% for i in range(100000) %}{% set t = ns.s | trim %}{% endfor %}",
        ["startswith a large text"] = Doubled + "{% for i in range(100000) %}{% set t = (ns.s + 'x').startswith(ns.s) %}{% endfor %}",
        ["== of large texts"] = Doubled + "{% set a = ns.s + 'a' %}{% set b = ns.s + 'b' %}{% for i in range(100000) %}{% set t = a == b %}{% endfor %}",
        ["< of large texts"] = Doubled + "{% set a = ns.s + 'a' %}{% set b = ns.s + 'b' %}{% for i in range(100000) %}{% set t = a < b %}{% endfor %}",
        ["a large key"] = Doubled + "{% set m = {} %}{% for i in range(100000) %}{% set t = m.get(ns.s) or m[ns.s] or ns.s in m %}{% endfor %}",
        ["large keys"] = Doubled + "{% for i in range(100000) %}{% set m = {ns.s: 1, ns.s ~ i: 2} %}{% endfor %}",
        ["the last letter"] = Doubled + "{% for i in range(100000) %}{% set t = ns.s[-1] %}{% endfor %}",
        ["the length"] = Doubled + "{% for i in range(100000) %}{% set t = ns.s | length %}{% endfor %}",
        ["slices of a text"] = Doubled + "{% for i in range(100000) %}{% set t = ns.s[1:] %}{% endfor %}",
        ["slices backwards"] = Doubled + "{% for i in range(1000) %}{% set t = ns.s[::-1] %}{% endfor %}",
        ["reverse of a text"] = Doubled + "{% for i in range(1000) %}{% set t = ns.s | reverse %}{% endfor %}",
        ["the letters as a list"] = Doubled + "{% for i in range(1000) %}{% set t = ns.s | list %}{% endfor %}",
        ["the first letter of all"] = Doubled + "{% for i in range(1000) %}{% set t = ns.s | first %}{% endfor %}",
        ["letters of content"] = "{% set ns = namespace(s=messages[0].content) %}{% for i in range(12) %}{% set ns.s = ns.s + '.' + ns.s %}{% endfor %}{% for i in range(1000) %}{% set ns.s = ns.s | list | join('-') %}{% endfor %}",
        ["tojson of a large text"] = Doubled + "{% for i in range(1000) %}{% set t = ns.s | tojson %}{% endfor %}",
        ["tojson of the messages"] = "{% for i in range(100000) %}{% set t = messages | tojson %}{% endfor %}",
        ["dates"] = Doubled + "{% for i in range(1000) %}{% set t = strftime_now(ns.s | replace('x', '%B')) %}{% endfor %}",
        ["list + list"] = "{% set ns = namespace(a=[]) %}{% for i in range(100000) %}{% set ns.a = ns.a + [i] %}{% endfor %}",
        ["append for ever"] = "{% set a = [] %}{% for i in range(300000) %}{% for j in range(300000) %}{% set x = a.append(a) %}{% endfor %}{% endfor %}",
        ["in of a long list"] = "{% set a = range(100000) | list %}{% for i in range(100000) %}{% set t = -1 in a %}{% endfor %}",
        ["unique of a long list"] = "{{ range(100000) | unique | length }}",
        ["slices of a long list"] = "{% set a = range(100000) | list %}{% for i in range(100000) %}{% set t = a[1:] %}{% endfor %}",
        ["reverse of a long list"] = "{% set a = range(100000) | list %}{% for i in range(100000) %}{% set t = a | reverse %}{% endfor %}",
        ["select on a long list"] = "{% set a = range(100000) | list %}{% for i in range(100000) %}{% set t = a | select('odd') | list %}{% endfor %}",
        ["selectattr on a long list"] = "{% set a = range(100000) | list %}{% for i in range(100000) %}{% set t = a | rejectattr('x') | list %}{% endfor %}",
        ["map on a long list"] = "{% set a = range(100000) | list %}{% for i in range(100000) %}{% set t = a | map('string') | map('trim') | list %}{% endfor %}",
        ["map of an attribute"] = "{% set a = range(100000) | list %}{% for i in range(100000) %}{% set t = a | map(attribute='x') | list %}{% endfor %}",
        ["items of a mapping"] = "{% set m = {" + string.Join(", ", Enumerable.Range(0, 2000).Select(i => $"'k{i}': {i}")) + "} %}{% for i in range(100000) %}{% set t = m.items() %}{% set u = m.keys() %}{% set v = m | length %}{% endfor %}",
        ["== of mappings"] = "{% set a = {" + string.Join(", ", Enumerable.Range(0, 2000).Select(i => $"'k{i}': {i}")) + "} %}{% set b = dict(k0=0) %}{% for i in range(100000) %}{% set t = a == a.copy %}{% set u = {'a': a}.items() == {'a': b}.items() %}{% endfor %}",
        ["loops in loops"] = "{% for a in range(1000) %}{% for b in range(1000) %}{% for c in range(1000) %}{% endfor %}{% endfor %}{% endfor %}",
        ["loops with a filter"] = "{% for a in range(100000) if a < 0 %}{% endfor %}{% for a in range(100000) if a < 0 %}{% endfor %}{% for a in range(100000) if a < 0 %}{% endfor %}",
        ["a long range"] = "{% for a in range(2000000) %}{% endfor %}",
        ["a range of all numbers"] = "{{ range(-9223372036854775807, 9223372036854775807) | length }}",
        ["a range whose step overflows"] = "{{ range(2, 9223372036854775807, 9223372036854775806) | length }}{{ range(9223372036854775807) | length }}",
        ["ranges backwards"] = "{{ range(9223372036854775807, -9223372036854775807, -1) | length }}",
        ["output for ever"] = "{% for a in range(100000) %}{% for b in range(100000) %}xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx{% endfor %}{% endfor %}",
        ["powers"] = "{% for a in range(1000) %}{% for b in range(1000) %}{% set t = 1.5 ** 1000 // 7 % 3 %}{% endfor %}{% endfor %}",
        ["lookups through many scopes"] = Nest(150, i => $"{{% for a{i} in [1] %}}", "{% for z in range(100000) %}{% for y in range(1000) %}{{ absent }}{% endfor %}{% endfor %}", "{% endfor %}"),

        // Macros.
        ["a macro that calls itself"] = "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        ["a macro that calls itself twice"] = "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(40) }}",
        ["a macro that doubles"] = "{% macro m(n) %}{% if n %}{{ m(n - 1) ~ m(n - 1) }}{% else %}xxxxxxxxxxxxxxxx{% endif %}{% endmacro %}{{ m(40) }}",
        ["macros that call each other"] = "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }}",
        ["a macro that calls itself in its defaults"] = "{% macro m(x=m()) %}{{ x }}{% endmacro %}{{ m() }}",
        ["a macro that calls itself deep inside"] = "{% macro m() %}" + Nest(60, _ => "{% if 1 %}", "{{ " + new string('(', 60) + "m()" + new string(')', 60) + " }}", "{% endif %}") + "{% endmacro %}{{ m() }}",
        ["a macro of many parameters"] = "{% macro m(" + string.Join(", ", Enumerable.Range(0, 4000).Select(i => $"p{i}")) + ") %}{% endmacro %}{% for i in range(100000) %}{{ m() }}{% endfor %}",
        ["a macro of many names"] = "{% macro m() %}" + string.Concat(Enumerable.Range(0, 2000).Select(i => $"{{% set n{i} = 1 %}}")) + "{% endmacro %}{% for i in range(100000) %}{{ m() }}{% endfor %}",
        ["a macro that many loops call"] = "{% macro m(x) %}{{ x }}{% endmacro %}{% for i in range(100000) %}{% for j in range(100000) %}{{ m(x=j) }}{% endfor %}{% endfor %}",

        // Deep or long source.
        ["brackets"] = "{{ " + new string('(', 40_000) + "1" + new string(')', 40_000) + " }}",
        ["lists"] = "{{ " + new string('[', 40_000) + new string(']', 40_000) + " }}",
        ["mappings"] = "{{ " + Repeat("{'a': ", 15_000) + "1" + new string('}', 15_000) + " }}",
        ["not"] = "{{ " + Repeat("not ", 30_000) + "1 }}",
        ["signs"] = "{{ " + Repeat("-", 100_000) + "1 }}",
        ["members"] = "{{ messages" + Repeat(".x", 60_000) + " }}",
        ["subscripts"] = "{{ messages" + Repeat("[0]", 40_000) + " }}",
        ["subscripts in subscripts"] = "{{ a" + Repeat("[a", 40_000) + Repeat("]", 40_000) + " }}",
        ["calls"] = "{{ range" + Repeat("(1)", 40_000) + " }}",
        ["calls in calls"] = "{{ " + Repeat("f(", 40_000) + Repeat(")", 40_000) + " }}",
        ["filters"] = "{{ 'x'" + Repeat("|trim", 25_000) + " }}",
        ["filters in filters"] = "{{ 'x'" + Repeat("|replace('y'", 10_000) + Repeat(")", 10_000) + " }}",
        ["tests"] = "{{ 'x'" + Repeat(" is true", 15_000) + " }}",
        ["sums"] = "{{ 1" + Repeat("+1", 60_000) + " }}",
        ["texts after each other"] = "{{ 'x'" + Repeat("~'x'", 30_000) + " }}",
        ["and"] = "{{ 1" + Repeat(" and 1", 20_000) + " }}",
        ["conditionals"] = "{{ 1" + Repeat(" if 1 else 1", 10_000) + " }}",
        ["conditionals without else"] = "{{ 1" + Repeat(" if 1", 25_000) + " }}",
        ["elif"] = "{% if 0 %}" + Repeat("{% elif 0 %}", 10_000) + "{% endif %}",
        ["if in if"] = Nest(5_000, _ => "{% if 1 %}", "x", "{% endif %}"),
        ["for in for"] = Nest(4_000, _ => "{% for a in [1] %}", "x", "{% endfor %}"),
        ["macros in macros"] = Nest(3_000, i => $"{{% macro m{i}() %}}", "x", "{% endmacro %}"),
        ["sums in brackets in sums"] = "{{ " + Nest(90, _ => "(", "1", Repeat("+1", 190) + ")") + " }}",
        ["a long template"] = new string('x', 1 << 18),
        ["many tags that do not end"] = Repeat("{% if 1 %}", 13_000),
        ["a tag of blanks"] = "{{" + new string(' ', 130_000),
        ["many comments"] = Repeat("{##}", 32_000) + "{{ 1 // 0 }}",
        ["many literals"] = "{{ '' " + Repeat("'x' ", 30_000) + " // 0 }}",
        ["a number of many digits"] = "{{ " + new string('9', 100_000) + " }}",
        ["arguments given twice"] = "{{ dict(a=1, a=2) }}",

        // Long errors.
        ["a large refusal"] = Doubled + "{{ raise_exception(ns.s) }}",
        ["a large name"] = Doubled + "{{ {}[ns.s].x }}",
        ["a large filter's name"] = "{{ 1 | " + new string('x', 100_000) + " }}",
    };

    private static string Repeat(string text, int count) => new StringBuilder(text.Length * count).Insert(0, text, count).ToString();

    private static string Nest(int depth, Func<int, string> open, string inside, string close) =>
        string.Concat(Enumerable.Range(0, depth).Select(open)) + inside + Repeat(close, depth);
}
