"""Draws held-out dialogues that end in one question whose answer is known: the user's messages only, the model writes its own."""

from dataclasses import dataclass, replace

from dialogues import Dialogue, Message, Style
from facts import Fact, redraw

CALM = Style(system_share=0.4)
LONG = replace(CALM, system_sentences=(1, 30))


@dataclass(frozen=True)
class Edit:
    """The message at `index`, counted without the assistant's, gets another text; what follows it goes, or stays with its answers."""

    index: int
    text: str
    drop_later: bool


@dataclass(frozen=True)
class Question:
    """What the user and the system say, an edit after that, the last question, and what its answer must and must not hold."""

    messages: list[Message]
    asked: str
    wanted: str
    barred: str | None = None
    edit: Edit | None = None


class Examiner(Dialogue):
    def __init__(self, seed: str, style: Style, tidy: bool = False):
        super().__init__(seed, style, held_out=True, tidy=tidy)

    def said_by_others(self) -> list[Message]:
        return [message for message in self.messages if message.role != "assistant"]

    def draw_facts(self) -> list[Fact]:
        facts: list[Fact] = []
        count = self.rng.choice((1, 1, 2, 2, 3))
        while len(facts) < count:
            fact = self.new_fact()
            if fact.slot not in {other.slot for other in facts} and fact.value.lower() not in {other.value.lower() for other in facts}:
                facts.append(fact)
        return facts

    def state(self, facts: list[Fact], instead: Fact | None = None) -> str:
        """The user tells the facts. Returns the same message with the first fact exchanged for `instead`."""
        before = self.rng.getstate()
        text = self.tell_text(facts)
        after = self.rng.getstate()
        self.rng.setstate(before)
        edited = self.tell_text([instead or facts[0], *facts[1:]])
        self.rng.setstate(after)
        self.known |= {fact.slot: fact for fact in facts}
        self.user(text)
        return edited

    def fill(self, fewest: int, most: int) -> None:
        """Turns between the telling and the asking: talk, and questions for other things that were told."""
        for _ in range(self.rng.randint(fewest, most)):
            if self.rng.random() < 0.6:
                self.filler()
            else:
                self.user(self.ask_text(self.rng.choice(list(self.known.values()))))


def recall(seed: str, style: Style = CALM, tidy: bool = False, turns: tuple[int, int] = (1, 4)) -> Question:
    examiner = Examiner(seed, style, tidy)
    if examiner.rng.random() < 0.3:
        examiner.filler()
    facts = examiner.draw_facts()
    examiner.state(facts)
    target = examiner.rng.choice(facts)
    if examiner.rng.random() < 0.4:
        examiner.state(examiner.draw_facts())
    examiner.fill(*turns)
    return Question(examiner.said_by_others(), examiner.ask_text(target), target.value)


def edit(seed: str, drop_later: bool) -> Question:
    """A fact is told and asked for; then the telling message is edited, and the fact is asked for again."""
    examiner = Examiner(seed, CALM)
    facts = examiner.draw_facts()
    new = examiner.as_typed(redraw(facts[0], examiner.words))
    index = len(examiner.messages)
    text = examiner.state(facts, new)
    examiner.fill(0, 2)
    examiner.user(examiner.ask_text(facts[0]))
    return Question(examiner.said_by_others(), examiner.ask_text(facts[0]), new.value, facts[0].value, Edit(index, text, drop_later))


def correction(seed: str) -> Question:
    examiner = Examiner(seed, CALM)
    examiner.state(examiner.draw_facts())
    examiner.fill(1, 1)
    before = dict(examiner.known)
    while examiner.known == before:
        examiner.correct()
    slot = next(slot for slot in before if examiner.known[slot] != before[slot])
    examiner.fill(0, 2)
    return Question(examiner.said_by_others(), examiner.ask_text(examiner.known[slot]), examiner.known[slot].value, before[slot].value)


def never_told(seed: str) -> Question:
    examiner = Examiner(seed, CALM)
    examiner.state(examiner.draw_facts())
    examiner.fill(0, 2)
    count = len(examiner.messages)
    while len(examiner.messages) == count:
        examiner.ask_unknown()
    *messages, asked = examiner.said_by_others()
    return Question(messages, asked.text, "not told me")


FIXED = [Question([Message("user", text) for text in texts[:-1]], texts[-1], wanted) for wanted, *texts in [
    ("Marta", "My name is Marta and I live in Lisbon.", "What is my name?"),
    ("Lisbon", "My name is Marta and I live in Lisbon.", "What is my name?", "Where do I live?"),
    ("Porto", "My name is Marta and I live in Porto.", "Where do I live?"),
    ("Marta", "My name is Marta and I live in Lisbon.", "What is a KV cache?", "What is my name?"),
    ("Tom", "Hi, I'm Tom.", "What's my name?"),
    ("Rex", "I have a dog named Rex.", "What is my dog's name?"),
    ("2 coffees and a bagel", "I'd like 2 coffees and a bagel.", "Thanks!", "What did I order?"),
    ("green", "my favourite colour is green", "whats my favourite colour"),
    ("Eve", "My name is Ann.", "Actually, my name is Eve.", "What is my name?"),
    ("not told me", "Hello!", "What is my name?"),
    ("baker", "My name is Bob. I live in Paris and I work as a baker.", "What do I do for a living?"),
    ("May", "My birthday is in May.", "Tell me a joke", "When is my birthday?"),
]] + [
    Question([Message("user", "My name is Marta and I live in Lisbon."), Message("user", "Where do I live?")], "Where do I live?", "Porto", "Lisbon",
             Edit(0, "My name is Marta and I live in Porto.", drop_later)) for drop_later in (False, True)
]
