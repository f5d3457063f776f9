"""Writes tests/Golden/tool_templates/expected.json: what Jinja2, set as Hugging Face sets it, makes of chats with functions and calls.

    pip install jinja2
    python make_tool_fixtures.py ../../tests/Golden/tool_templates

As transformers does it, arguments are given as objects. A message with several calls is several messages for llama3, which takes one call a message.
"""
import json
import pathlib
import sys

from make_chat_fixtures import TOKENS, environment, say


def call(id, name, arguments):
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def asks(content, *calls):
    return {"role": "assistant", "content": content, "tool_calls": list(calls)}


def result(id, content):
    return {"role": "tool", "content": content, "tool_call_id": id}


TOOLS = [
    {"type": "function", "function": {
        "name": "get_weather", "description": "Says \"what\" the weather is: 21 °C, 🙂.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": -1, "default": 1.5}}, "required": ["city"]}}},
    {"type": "function", "function": {"name": "now", "parameters": {"type": "object", "properties": {}}}},
]

CHATS = [
    [say("user", "Is it warm?")],
    [say("system", "Be brief."), say("user", "Is it warm?"), asks("", call("abcdefgh1", "get_weather", '{"city":"Ulm","days":2,"exact":[true,null,0.5]}')),
     result("abcdefgh1", "21 degrees")],
    [say("user", "Is it warm?"), asks("I look.", call("abcdefgh1", "get_weather", '{"city": "São Paulo 🙂"}'), call("abcdefgh2", "now", "{}")),
     result("abcdefgh1", "{\"t\": 21}"), result("abcdefgh2", "noon"), say("assistant", "Yes."), say("user", "And now?")],
]


def given(chat, template):
    messages = []
    for message in chat:
        calls = message.get("tool_calls")
        if not calls:
            messages.append(message)
            continue
        calls = [{**one, "function": {**one["function"], "arguments": json.loads(one["function"]["arguments"])}} for one in calls]
        for some in [[one] for one in calls] if template == "llama3.jinja" else [calls]:
            messages.append({**message, "tool_calls": some})
    return messages


def main():
    folder = pathlib.Path(sys.argv[1])
    cases = []
    for path in sorted(folder.glob("*.jinja")):
        template = environment().from_string(path.read_text(encoding="utf-8"))
        for number, chat in enumerate(CHATS):
            for tools in (TOOLS, None):
                text = template.render(messages=given(chat, path.name), tools=tools, documents=None, add_generation_prompt=True, **TOKENS)
                cases.append({"template": path.name, "chat": number, "tools": tools is not None, "text": text})
    result = {"tokens": TOKENS, "tools": TOOLS, "chats": CHATS, "cases": cases}
    (folder / "expected.json").write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
