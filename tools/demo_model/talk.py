"""Topics and small talk: question and answer banks read from text files."""

from dataclasses import dataclass

from vocabulary import DATA, WORDS, Words, read_sections


@dataclass(frozen=True)
class Talk:
    name: str
    questions: list[str]
    answers: list[str]


def read_talk(file_name: str) -> list[Talk]:
    """Reads `[name]`, lines of questions `? a|b|c` and one line `= …` for each answer."""
    talks: list[Talk] = []
    for line in (DATA / file_name).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            talks.append(Talk(line.strip("[]"), [], []))
        elif line.startswith("? "):
            talks[-1].questions.extend(line[2:].split("|"))
        elif line.startswith("= "):
            talks[-1].answers.append(line[2:])
    return talks


TOPICS = read_talk("topics.txt")
SMALL_TALK = read_talk("small_talk.txt")
_FALLBACK = read_sections("fallback.txt")

TOPIC_FRAMES = [
    "{}", "{}", "{}", "{}", "{}", "{}", "so {}", "ok, {}", "please tell me: {}", "I have a question: {}", "and {}", "now {}", "hey, {}", "can you tell me: {}", "one question: {}", "{} exactly",
    "{}, in short", "briefly: {}", "by the way, {}",
]
MORE = [
    "tell me more", "more", "go on", "what else", "can you say more about that", "more please", "explain that again", "I don't understand", "say it differently", "in other words", "and what else",
    "can you explain that better", "more details please", "what do you mean", "continue", "explain more", "I didn't get that", "again, please",
]
NO_MORE = ["That is all I know about it.", "I do not know more than that about it."]


def draw_fallback(words: Words) -> tuple[str, str, str]:
    """Something the model cannot know or place: the text, its closing mark and the answer."""
    rng = words.rng
    question = rng.random() < 0.6
    template = rng.choice(_FALLBACK["questions" if question else "statements"])
    while True:
        text = template.format(
            city=words.city(), title=words.title(), name=words.first_name(), dish=rng.choice(WORDS["dishes"]), noun=rng.choice(WORDS["plain words"]), language=rng.choice(WORDS["languages"]),
            subject=rng.choice(WORDS["subjects"]), invented=words.invented(), thing=rng.choice(WORDS["things"]), relation=rng.choice(WORDS["relations"]), fruit=rng.choice(WORDS["fruits"]), job=rng.choice(WORDS["jobs"]),
            animal=rng.choice(WORDS["animals"]), flower=rng.choice(WORDS["flowers"]), instrument=rng.choice(WORDS["instruments"]), d=rng.randint(10, 99))
        if len(text) < 120:
            return text, "?" if question else ".", rng.choice(_FALLBACK["question answers" if question else "statement answers"])
