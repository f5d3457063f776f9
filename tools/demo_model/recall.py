"""Writes tests/Golden/recall.json: held-out dialogues for the engine's own test, the ones that evaluate.py draws."""

import json
from pathlib import Path

import examination
from examination import Question

RECALL = Path(__file__).resolve().parents[2] / "tests" / "Golden" / "recall.json"


def as_json(question: Question) -> dict:
    """The messages without the assistant's; `edit.index` counts those."""
    written = {"messages": [{"role": message.role, "content": message.text} for message in question.messages], "asked": question.asked, "wanted": question.wanted}
    if question.edit is not None:
        written |= {"barred": question.barred, "edit": {"index": question.edit.index, "content": question.edit.text}}
    return written


def main() -> None:
    drawn = {
        "recall": [examination.recall(f"evaluation recall {number}") for number in range(200)],
        "edits": [examination.edit(f"evaluation edit, later messages kept {number}", drop_later=False) for number in range(200)],
    }
    lines = [f' "{name}": [\n' + ",\n".join("  " + json.dumps(as_json(question), ensure_ascii=False) for question in questions) + "\n ]" for name, questions in drawn.items()]
    RECALL.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
