"""Composes dialogues: facts told, asked for, corrected and edited, between small talk and explanations."""

import random
from dataclasses import dataclass

from facts import CLAUSE_FRAMES, PHRASE_FRAMES, Fact, draw_fact, redraw
from sloppy import Typist
from system_prompts import SystemPrompt, draw_system_prompt
from talk import MORE, NO_MORE, SMALL_TALK, TOPIC_FRAMES, TOPICS, Talk, draw_fallback
from vocabulary import Words


@dataclass(frozen=True)
class Message:
    role: str
    text: str
    learn: bool = False   # the training loss reads this message


@dataclass(frozen=True)
class Style:
    """How often a turn does what, and what surrounds it. Weights need not add up to anything."""

    tell: float = 4.0
    ask: float = 5.0
    correct: float = 0.7
    ask_unknown: float = 1.0
    small_talk: float = 1.6
    topic: float = 1.2
    fallback: float = 0.5
    house: float = 2.0
    echo: float = 0.25
    overview: float = 0.3
    edited: float = 0.15               # share of telling messages that are edited later
    turns: tuple[int, int] = (2, 8)
    system_share: float = 0.4
    system_sentences: tuple[int, int] = (1, 4)


_UNKNOWN = ["You have not told me that yet.", "You have not told me that yet.", "You have not told me {} yet."]
_OVERVIEW = ["what do you know about me", "what have I told you so far", "what did I tell you", "list what you know about me", "tell me what you know about me", "what do you remember about me",
             "what have I told you", "summarise what I told you", "what do you remember", "sum up what you know about me"]
_CORRECTION_FRAMES = ["actually, {}", "actually {}", "sorry, {}", "sorry, I meant {}", "no, {}", "wait, {}", "correction: {}", "I was wrong, {}", "oh, {}", "{}", "that was wrong, {}", "update: {}", "by the way, {} now",
                      "I made a mistake, {}", "no wait, {}"]
_CORRECTED = ["Thanks, I have changed that: {}.", "All right, {} now.", "Got it, {}.", "Thanks for telling me. So {}.", "Understood, {}."]
_WHO_ARE_YOU = ["who are you", "what is your name", "what's your name", "what should I call you", "who am I talking to", "do you have a name", "and you are", "introduce yourself", "what are you called"]
_GENERIC_ACK = ["I will remember that.", "Got it.", "Noted.", "Thanks, I will keep that in mind.", "Good to know."]
_ECHO = ["repeat after me: {}", "say: {}", "please say {}", "repeat: {}", "can you say {}", "echo {}"]
_ANSWER_OPENERS = ["", "", "", "", "", "", "", "Of course: ", "Yes, ", "I remember: "]
_MAIN_TOPICS = ["kv cache", "prefix sharing", "edit", "tiers", "eviction", "blocks", "radix tree", "project"]
_QUESTION_WORDS = ("what", "who", "how", "do", "are", "can", "which", "when", "where", "what's", "will", "is", "am", "should", "may", "any", "got", "how's", "whats")


def sentence_case(text: str) -> str:
    return text[0].upper() + text[1:]


class Dialogue:
    """One conversation under construction."""

    def __init__(self, seed: str, style: Style, held_out: bool = False, tidy: bool = False):
        self.rng = random.Random(seed)
        self.words = Words(self.rng, held_out)
        self.style = style
        self.typist = Typist(self.rng, tidy)
        self.messages: list[Message] = []
        self.known: dict[str, Fact] = {}
        self.stale: dict[str, Fact] = {}   # what the assistant still says because its turns were written before an edit
        self.edited = False
        self.told: list[Talk] = []
        self.system: SystemPrompt | None = None
        if self.rng.random() < style.system_share:
            self.system = draw_system_prompt(self.words, self.rng.randint(*style.system_sentences))
            self.messages.append(Message("system", self.system.text))

    # Building blocks

    def user(self, *sentences: str) -> None:
        self.messages.append(Message("user", " ".join(sentences)))

    def assistant(self, text: str, learn: bool = True) -> None:
        self.messages.append(Message("assistant", text, learn))

    def question(self, text: str, *keep: str) -> str:
        return self.typist.sentence(text, "?", keep)

    def statement(self, text: str, *keep: str) -> str:
        return self.typist.sentence(text, self.rng.choice("....!"), keep)

    def new_fact(self, kind: str | None = None) -> Fact:
        while True:
            fact = draw_fact(self.words, kind)
            if fact.slot in self.known or fact.value.lower() in {known.value.lower() for known in self.known.values()}:
                continue
            if kind is None and fact.kind.name == "secret" and sum(known.kind.name == "secret" for known in self.known.values()) > 1:
                continue
            return self.as_typed(fact)

    def as_typed(self, fact: Fact) -> Fact:
        typed = {name: self.typist.value(text) if name in ("v", "p", "av") else text for name, text in fact.fields.items()}
        return Fact(fact.kind, typed)

    # What the user says about facts

    def tell_text(self, facts: list[Fact]) -> str:
        rng = self.rng
        keep = [fact.value for fact in facts]
        if len(facts) == 1 and facts[0].kind.tell_alone and rng.random() < 0.35:
            return self.statement(facts[0].say(rng.choice(facts[0].kind.tell_alone)), *keep)
        clauses = [fact.say(rng.choice(fact.kind.tell)) for fact in facts]
        style = rng.random()
        if len(clauses) > 1 and style < 0.55:
            joined = clauses[0] + " and " + clauses[1] if len(clauses) == 2 else ", ".join(clauses[:-1]) + " and " + clauses[-1]
            return self.statement(joined, *keep)
        if len(clauses) > 1 and style < 0.65:
            return self.statement(", ".join(clauses), *keep)
        return " ".join(self.typist.sentence(clause, ".", tuple(keep)) for clause in clauses)

    def direct_question(self, fact: Fact) -> str:
        """One whole question for the fact; it names the animal where several pets are known."""
        pets = sum(known.kind.name == "pet" for known in self.known.values())
        if fact.kind.name == "pet" and pets > 1:
            return fact.say("what is my {k} called")
        return fact.say(self.rng.choice(fact.kind.ask))

    def ask_text(self, fact: Fact) -> str:
        rng, kind = self.rng, fact.kind
        choice = rng.random()
        if kind.clauses and choice < 0.22:
            text = rng.choice(CLAUSE_FRAMES).format(rng.choice(kind.clauses))
        elif kind.phrases and choice < 0.6:
            text = rng.choice(PHRASE_FRAMES).format(rng.choice(kind.phrases))
        else:
            text = rng.choice(kind.ask)
        text = fact.say(text)
        others = {known.kind.name for slot, known in self.known.items() if slot != fact.slot}
        if kind.name == "pet" and "pet" in others and fact.fields["k"] not in text:
            text = fact.say("what is my {k} called")
        return self.question(text, *fact.fields.values())

    def answer_text(self, fact: Fact) -> str:
        rng = self.rng
        clause = fact.say(fact.kind.answer[0] if rng.random() < 0.6 else rng.choice(fact.kind.answer))
        opener = rng.choice(_ANSWER_OPENERS) if rng.random() < 0.5 else ""
        return sentence_case(opener + clause) + "."

    def confirm_text(self, facts: list[Fact]) -> str:
        rng = self.rng
        first = facts[0]
        if rng.random() < 0.12:
            return rng.choice(_GENERIC_ACK)
        text = sentence_case(first.say(rng.choice(first.kind.confirm))) if first.kind.confirm else rng.choice(_GENERIC_ACK)
        if len(facts) == 2 and facts[1].kind.confirm and rng.random() < 0.7:
            text += " " + sentence_case(facts[1].say(rng.choice(facts[1].kind.confirm)))
        elif len(facts) > 1:
            text += " " + rng.choice(_GENERIC_ACK)
        elif first.kind.name != "name" and "name" in self.known and rng.random() < 0.08:
            text += f" Thanks, {self.said(self.known['name']).value}."
        return text

    def said(self, fact: Fact) -> Fact:
        """The fact as the assistant knows it at this point: the old value as long as the edit is not applied."""
        return self.stale.get(fact.slot, fact)

    # Turns

    def tell(self, kinds: list[str | None] | None = None) -> list[Fact]:
        rng = self.rng
        facts: list[Fact] = []
        for kind in kinds or [None] * rng.choice((1, 1, 1, 2, 2, 3)):
            fact = self.new_fact(kind)
            if fact.slot not in {other.slot for other in facts} and fact.value.lower() not in {other.value.lower() for other in facts}:
                facts.append(fact)
        for fact in facts:
            self.known[fact.slot] = fact
        edited = not self.edited and rng.random() < self.style.edited
        if edited:
            for fact in facts:
                self.stale[fact.slot] = self.as_typed(redraw(fact, self.words))
        text = self.tell_text(facts)
        if facts[0].kind.name == "name" and rng.random() < 0.06:
            self.user(text, self.question(rng.choice(["what is yours", "and you", "who are you", "what's your name"])))
            self.assistant(f"Nice to meet you, {self.said(facts[0]).value}! {self.introduction()}", not edited)
        elif rng.random() < 0.05:
            self.user(text, self.ask_text(facts[0]))
            self.assistant(self.answer_text(self.said(facts[0])), not edited)
        else:
            greeting = rng.choice(["Hi!", "Hello!", "Hey.", "Hi,", "hello,"]) if len(self.messages) < 2 and rng.random() < 0.25 else ""
            self.user(*filter(None, [self.typist.value(greeting), text]))
            self.assistant(self.confirm_text([self.said(fact) for fact in facts]), not edited)
        return facts

    def ask(self, fact: Fact | None = None) -> None:
        rng = self.rng
        fact = fact or rng.choice(list(self.known.values()))
        heard, stale = self.said(fact), fact.slot in self.stale
        choice = rng.random()
        if choice < 0.08 and fact.kind.check:
            claimed = fact if rng.random() < 0.5 else self.as_typed(redraw(fact, self.words))
            self.user(self.question(claimed.say(rng.choice(fact.kind.check)), *claimed.fields.values()))
            opener = "Yes" if claimed.value == heard.value else "No"
            self.assistant(f"{opener}, {heard.say(fact.kind.answer[0])}.", not stale)
        elif choice < 0.18 and len(self.known) > 1:
            other = rng.choice([known for known in self.known.values() if known.slot != fact.slot])
            first, second = self.direct_question(fact), self.direct_question(other)
            self.user(self.question(f"{first} and {second}", *fact.fields.values(), *other.fields.values()))
            clauses = [self.said(asked).say(asked.kind.answer[0]) for asked in (fact, other)]
            self.assistant(sentence_case(" and ".join(clauses)) + ".", not stale and other.slot not in self.stale)
        elif choice < 0.22 and fact.kind.name == "pet" and sum(known.kind.name == "pet" for known in self.known.values()) == 1:
            self.user(self.question(fact.say(rng.choice(["what animal is {v}", "who is {v}", "what is {v}", "what kind of animal is {v}", "which animal is {v}"])), fact.value))
            self.assistant(fact.say("{v} is your {k}."), not stale)
        else:
            self.user(self.ask_text(fact))
            self.assistant(self.answer_text(heard), not stale)

    def apply_edits(self) -> None:
        """From here on the assistant answers from the edited messages; its earlier turns keep the old values."""
        self.edited = True
        changed = [self.known[slot] for slot in self.stale]
        self.stale.clear()
        if changed and self.rng.random() < 0.8:
            self.ask(self.rng.choice(changed))

    def correct(self) -> None:
        rng = self.rng
        old = rng.choice(list(self.known.values()))
        new = self.as_typed(redraw(old, self.words))
        change = new.say(rng.choice(old.kind.change))
        if change.startswith(("it's", "I like {v}", "I prefer", "make", "let it")):
            change = new.say(old.kind.change[0])
        frame = rng.choice(_CORRECTION_FRAMES)
        self.known[new.slot] = new
        self.stale.pop(new.slot, None)
        self.user(self.statement(frame.format(change), *new.fields.values()))
        self.assistant(rng.choice(_CORRECTED).format(new.say(new.kind.answer[0])))

    def correct_at_once(self) -> None:
        """One fact told and put right in the next message: "sorry, I meant X"."""
        rng = self.rng
        kinds = [kind for kind in ("name", "city", "colour", "order", "pet", "birthday", "job", "hobby") if kind not in self.known]
        old = self.tell([rng.choice(kinds)])[0]
        new = self.as_typed(redraw(old, self.words))
        frames = ["sorry, I meant {v}", "no, {v}", "I mean {v}", "actually it's {v}", "it's {v}", "not {o}, {v}", "sorry, {v}", "wait, {v}", "no, it's {v}", "{v}, not {o}", "oops, {v}"]
        frame = rng.choice(frames).format(v=new.fields.get("p", new.value), o=old.value)
        self.known[new.slot] = new
        self.stale.pop(new.slot, None)
        self.user(self.statement(frame, new.value, old.value))
        self.assistant(rng.choice(_CORRECTED).format(new.say(new.kind.answer[0])))

    def ask_unknown(self) -> None:
        fact = self.new_fact()
        name = fact.kind.name
        kinds = {known.kind.name for known in self.known.values()}
        related = {"city": "origin", "origin": "city", "job": "workplace", "workplace": "job", "birthday": "origin", "hobby": "favourite"}.get(name)
        if name in kinds and name in ("pet", "secret", "language") or related in kinds:
            return
        text = self.ask_text(fact)
        while "pet" in text and "k" in fact.fields and fact.fields["k"] not in text and "pet" in kinds:
            text = self.ask_text(fact)
        self.user(text)
        self.assistant(self.rng.choice(_UNKNOWN).format(fact.say(fact.kind.noun)))

    def overview(self) -> None:
        self.user(self.question(self.rng.choice(_OVERVIEW)))
        if not self.known:
            self.assistant(self.rng.choice(["You have not told me anything about yourself yet.", "Nothing yet. Tell me something about yourself!"]))
            return
        facts = list(self.known.values())[:5]
        clauses = [self.said(fact).say(fact.kind.answer[0]) for fact in facts]
        text = clauses[0] if len(clauses) == 1 else ", ".join(clauses[:-1]) + " and " + clauses[-1]
        self.assistant(sentence_case(text) + ".", all(fact.slot not in self.stale for fact in facts))

    def introduction(self) -> str:
        if self.system and self.system.bot:
            return f"I am {self.system.bot}."
        return "I am the KvTiers demo model."

    def ask_house(self) -> None:
        rng = self.rng
        if self.system and self.system.bot and (not self.system.house or rng.random() < 0.3):
            self.user(self.question(rng.choice(_WHO_ARE_YOU)))
            self.assistant(self.introduction())
        elif self.system and self.system.house:
            fact = rng.choice(self.system.house)
            self.user(self.question(rng.choice(fact.questions)))
            self.assistant(fact.answer)

    def echo(self) -> None:
        phrase = self.typist.value(" ".join(self.rng.choice([self.words.invented, self.words.first_name, lambda: self.words.any_of("plain words")])() for _ in range(self.rng.randint(1, 3))))
        self.user(self.typist.sentence(self.rng.choice(_ECHO).format(phrase), "", (phrase,)))
        self.assistant(phrase)

    def small_talk(self) -> None:
        rng = self.rng
        talk = SMALL_TALK[0] if len(self.messages) < 2 and rng.random() < 0.5 else rng.choice(SMALL_TALK)
        if talk.name in ("who are you", "favourites") and self.system and self.system.bot:
            talk = SMALL_TALK[1]
        if talk.name == "another joke" and not any(told.name == "joke" for told in self.told):
            talk = next(other for other in SMALL_TALK if other.name == "joke")
        self.told.append(talk)
        text = rng.choice(talk.questions)
        is_question = text.split()[0].lower() in _QUESTION_WORDS
        self.user(self.question(text) if is_question else self.statement(text))
        said = {message.text for message in self.messages}
        fresh = [answer for answer in talk.answers if answer not in said] or talk.answers
        answer = rng.choice(fresh)
        if talk.name in ("greeting", "bye", "thanks") and "name" in self.known and rng.random() < 0.5:
            name = self.said(self.known["name"]).value
            answer = {"greeting": f"Hello, {name}! How can I help you?", "bye": f"Goodbye, {name}!", "thanks": f"You are welcome, {name}!"}[talk.name]
            self.assistant(answer, "name" not in self.stale)
        else:
            self.assistant(answer)
        if talk.name == "joke" and rng.random() < 0.35:
            again = next(other for other in SMALL_TALK if other.name == "another joke")
            self.told.append(again)
            self.user(self.statement(rng.choice(again.questions)))
            self.assistant(rng.choice(again.answers))

    def topic(self) -> None:
        rng = self.rng
        topic = rng.choice(TOPICS)
        if rng.random() < 0.3:
            topic = rng.choice([other for other in TOPICS if other.name in _MAIN_TOPICS])
        self.user(self.question(rng.choice(TOPIC_FRAMES).format(rng.choice(topic.questions))))
        answers = rng.sample(topic.answers, len(topic.answers))
        self.assistant(answers[0])
        following = answers[1:] + [rng.choice(NO_MORE)]
        while following and rng.random() < 0.22:
            self.user(self.question(rng.choice(MORE)))
            self.assistant(following.pop(0))

    def fallback(self) -> None:
        text, stop, answer = draw_fallback(self.words)
        self.user(self.typist.sentence(text, stop))
        self.assistant(answer)

    def filler(self) -> None:
        self.rng.choices([self.small_talk, self.topic, self.fallback], [self.style.small_talk, self.style.topic, self.style.fallback])[0]()

    def turn(self) -> None:
        style, rng = self.style, self.rng
        verbs = [(self.small_talk, style.small_talk), (self.topic, style.topic), (self.fallback, style.fallback), (self.ask_unknown, style.ask_unknown), (self.echo, style.echo)]
        if len(self.known) < 7:
            verbs.append((self.tell, style.tell * (1.0 if len(self.known) < 3 else 0.35)))
            verbs.append((self.correct_at_once, style.correct * 0.4))
        if self.known:
            verbs.append((self.ask, style.ask))
            verbs.append((self.correct, style.correct))
        if len(self.known) < 5:
            verbs.append((self.overview, style.overview))
        if self.system and (self.system.bot or self.system.house):
            verbs.append((self.ask_house, style.house))
        rng.choices([verb for verb, _ in verbs], [weight for _, weight in verbs])[0]()


def draw_dialogue(seed: str, style: Style, held_out: bool = False) -> list[Message]:
    dialogue = Dialogue(seed, style, held_out)
    turns = dialogue.rng.randint(*style.turns)
    edit_at = dialogue.rng.randint(1, max(1, turns * 2 // 3))
    for turn in range(turns):
        if turn == edit_at:
            dialogue.apply_edits()
        dialogue.turn()
    return dialogue.messages
