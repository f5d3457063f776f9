"""What a user can tell about themselves, in many phrasings, and how it is asked for, answered and corrected."""

from dataclasses import dataclass, field
from typing import Callable

from vocabulary import Words, with_article


@dataclass(frozen=True)
class Fact:
    """One remembered thing. `fields["v"]` is the value that an answer must repeat letter for letter."""

    kind: "Kind"
    fields: dict[str, str]

    @property
    def slot(self) -> str:
        return f"{self.kind.name}:{self.fields['k']}" if "k" in self.fields else self.kind.name

    @property
    def value(self) -> str:
        return self.fields["v"]

    def say(self, template: str) -> str:
        return template.format(**self.fields)


@dataclass(frozen=True)
class Kind:
    """Templates of one kind of fact. Clauses start in lower case and end without punctuation, so that they can be joined."""

    name: str
    draw: Callable[[Words], dict[str, str]]
    tell: list[str]                                 # clauses: "my name is {v}"
    answer: list[str]                               # clauses, the usual one first: "your name is {v}"
    noun: str                                       # "your name", for "You have not told me your name yet."
    phrases: list[str] = field(default_factory=list)   # noun phrases: "my name"
    ask: list[str] = field(default_factory=list)       # whole questions: "what am I called"
    clauses: list[str] = field(default_factory=list)   # indirect questions: "where I live"
    tell_alone: list[str] = field(default_factory=list)  # sentences that do not join: "call me {v}"
    confirm: list[str] = field(default_factory=list)   # sentences: "Nice to meet you, {v}!"
    change: list[str] = field(default_factory=list)    # corrections: "actually my name is {v}"
    check: list[str] = field(default_factory=list)     # yes-or-no questions: "is my name {v}"
    weight: float = 1.0


def _named(words: Words, section: str, value: Callable[[], str]) -> dict[str, str]:
    noun = words.any_of(section)
    return {"k": noun, "ak": with_article(noun), "v": value()}


def _job(words: Words) -> dict[str, str]:
    job = words.any_of("jobs", 0.06)
    return {"v": job, "av": with_article(job)}


_FAVOURITES = {
    "food": "dishes", "dish": "dishes", "drink": "drinks", "animal": "animals", "fruit": "fruits", "sport": "sports", "season": "seasons",
    "day": "days", "instrument": "instruments", "flower": "flowers", "subject": "subjects", "language": "languages", "word": "plain words",
}
_FAVOURITE_NAMES = ["book", "film", "movie", "song", "game", "singer", "band", "actor", "writer", "team", "show", "poem", "place", "shop", "restaurant"]


def _favourite(words: Words) -> dict[str, str]:
    if words.rng.random() < 0.35:
        return {"k": words.rng.choice(_FAVOURITE_NAMES), "v": words.title()}
    if words.rng.random() < 0.08:
        return {"k": "number", "v": words.digits(1, 3)}
    noun = words.rng.choice(list(_FAVOURITES))
    return {"k": noun, "v": words.any_of(_FAVOURITES[noun], 0.08)}


_COUNTS = ["2", "3", "4", "5", "6", "10", "two", "three", "four", "five", "six"]
_SIZES = ["small", "large", "big", "hot", "cold", "black", "vegan", "plain", "double"]


def plural(noun: str) -> str:
    if noun.endswith(("ch", "sh", "s", "x")) or noun == "mango":
        return noun + "es"
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + "s"


def _item(words: Words) -> str:
    rng = words.rng
    noun = words.any_of(rng.choice(["drinks", "foods"]), 0.04)
    if rng.random() < 0.15:
        noun = rng.choice(_SIZES) + " " + noun
    if rng.random() < 0.5:
        return f"{rng.choice(_COUNTS)} {plural(noun)}"
    return with_article(noun) if rng.random() < 0.8 else "one " + noun


def _order(words: Words) -> dict[str, str]:
    items = [_item(words) for _ in range(words.rng.choice((1, 1, 2, 2, 2, 3)))]
    return {"v": items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]}


def _birthday(words: Words) -> dict[str, str]:
    month, rng = words.any_of("months"), words.rng
    style = rng.random()
    if style < 0.5:
        return {"v": month, "p": "in " + month}
    day = rng.randint(1, 28)
    suffix = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd"}.get(day, "th")
    date = rng.choice([f"{day} {month}", f"{month} {day}", f"{day}{suffix} of {month}", f"{month} {day}{suffix}"])
    return {"v": date, "p": "on " + date}


def _clock(words: Words) -> dict[str, str]:
    rng = words.rng
    noun = rng.choice(["meeting", "train", "flight", "appointment", "bus", "lesson", "interview", "class", "call", "dinner", "exam", "concert"])
    hour = rng.randint(1, 12)
    time = rng.choice([f"{hour} pm", f"{hour} am", f"{hour}:{rng.randint(0, 59):02}", f"{hour}:{rng.choice(['15', '30', '45'])}", f"{hour} o'clock", "noon"])
    return {"k": noun, "v": time}


def _secret(words: Words) -> dict[str, str]:
    noun = words.rng.choice(["code", "number", "word", "password", "pin", "room number", "phone number", "order number", "lucky number", "ticket number", "secret word"])
    if "word" not in noun:
        return {"k": noun, "v": words.digits(2, 6)}
    return {"k": noun, "v": words.any_of("plain words", 0.5)}


KINDS: dict[str, Kind] = {kind.name: kind for kind in [
    Kind("name", lambda w: {"v": w.full_name()},
         tell=["my name is {v}", "my name is {v}", "my name's {v}", "I'm {v}", "I am {v}", "I am called {v}", "people call me {v}", "my first name is {v}"],
         tell_alone=["call me {v}", "you can call me {v}", "this is {v}", "{v} here", "{v} is my name", "hi, I'm {v}", "hello, my name is {v}", "hey, {v} here",
                     "hello! I am {v}", "please call me {v}", "they call me {v}", "name's {v}", "the name is {v}", "hi my name is {v}"],
         confirm=["Nice to meet you, {v}!", "Nice to meet you, {v}.", "Hello, {v}!", "Hello {v}, good to meet you.", "Welcome, {v}!", "Pleased to meet you, {v}."],
         answer=["your name is {v}", "your name is {v}", "your name is {v}", "you are {v}", "you told me that your name is {v}"],
         phrases=["my name", "my name", "my first name"], noun="your name",
         ask=["who am I", "what am I called", "how am I called", "what do people call me", "what is my name", "what's my name", "do you know who I am", "what name did I give you"],
         clauses=["who I am", "what I am called", "what my name is"],
         change=["my name is {v}", "my name is {v} now", "I'm {v}", "call me {v}", "it's {v}", "my name is really {v}", "I changed my name to {v}"],
         check=["is my name {v}", "am I {v}", "am I called {v}", "my name is {v}, right"], weight=5),
    Kind("city", lambda w: {"v": w.city()},
         tell=["I live in {v}", "I live in {v}", "I'm living in {v}", "my home is in {v}", "I'm based in {v}", "I moved to {v}", "I have a flat in {v}", "my city is {v}",
               "I just moved to {v}", "I have lived in {v} for years", "I live near {v}", "home is {v}"],
         tell_alone=["{v} is where I live", "{v} is my home", "we live in {v}", "I live in {v} these days"],
         confirm=["{v} sounds lovely.", "{v} must be a nice place.", "Good to know that you live in {v}.", "I have noted {v}.", "I hope you like it in {v}."],
         answer=["you live in {v}", "you live in {v}", "you live in {v}", "you told me that you live in {v}"],
         phrases=["my city", "the city I live in", "the place where I live"], noun="where you live",
         ask=["where do I live", "where do I live", "which city do I live in", "what city do I live in", "where is my home", "in which city do I live", "where am I living", "where am I based",
              "what town do I live in", "which city am I in", "where's my home"],
         clauses=["where I live", "where my home is", "which city I live in", "in which city I live"],
         change=["I live in {v}", "I live in {v} now", "I moved to {v}", "it's {v}", "I have moved to {v}", "we moved to {v}", "I don't live there, I live in {v}"],
         check=["do I live in {v}", "is my home in {v}", "I live in {v}, right"], weight=4),
    Kind("origin", lambda w: {"v": w.city()},
         tell=["I come from {v}", "I was born in {v}", "I grew up in {v}", "I'm from {v}", "I'm originally from {v}"],
         confirm=["{v} must be a good place to come from.", "I have noted that you are from {v}.", "Good to know that you are from {v}."],
         answer=["you are from {v}", "you come from {v}"], phrases=["my birthplace", "the place I come from"], noun="where you are from",
         ask=["where am I from", "where do I come from", "where was I born", "where did I grow up"], clauses=["where I am from", "where I come from", "where I was born"],
         change=["I'm from {v}", "I come from {v}", "I was born in {v}"], check=["am I from {v}", "do I come from {v}"]),
    Kind("pet", lambda w: _named(w, "pets", w.pet_name),
         tell=["I have {ak} named {v}", "I have {ak} called {v}", "my {k} is called {v}", "my {k}'s name is {v}", "my {k} is named {v}", "we have {ak} called {v}", "I own {ak} named {v}",
               "my pet is {ak} called {v}", "I got {ak} named {v}", "I live with {ak} named {v}", "I adopted {ak} and named it {v}"],
         tell_alone=["{v} is my {k}", "the name of my {k} is {v}", "I have {ak}. Its name is {v}", "I have {ak}, her name is {v}", "I have {ak}, his name is {v}"],
         confirm=["{v} is a great name for {ak}.", "Say hello to {v} from me!", "{v} sounds like a lovely {k}.", "I would love to meet {v}.", "I have noted that your {k} is called {v}."],
         answer=["your {k} is called {v}", "your {k} is called {v}", "your {k}'s name is {v}", "you have {ak} called {v}"],
         phrases=["my {k}'s name", "my {k}'s name", "the name of my {k}", "my pet's name", "the name of my pet"], noun="about a {k}",
         ask=["what is my {k} called", "what is my {k}'s name", "what's my {k} called", "how is my {k} called", "what did I name my {k}", "what is my pet called", "what's my {k}'s name",
              "what do I call my {k}", "what is my {k} named", "what pet do I have", "which pet do I have", "do I have a pet", "what animal do I have"],
         clauses=["what my {k} is called", "what my pet is called", "what pet I have", "how my {k} is called"],
         change=["my {k} is called {v}", "my {k}'s name is {v}", "the {k} is called {v}", "it's {v}", "we renamed the {k} {v}"], check=["is my {k} called {v}", "is {v} my {k}'s name"], weight=3),
    Kind("relation", lambda w: _named(w, "relations", w.first_name),
         tell=["my {k} is called {v}", "my {k}'s name is {v}", "my {k} is named {v}", "I have {ak} called {v}", "I have {ak} named {v}"],
         tell_alone=["{v} is my {k}", "the name of my {k} is {v}", "{v} is my {k}'s name"],
         confirm=["I will remember {v}.", "Say hello to {v} from me.", "{v} is a nice name.", "I have noted that your {k} is called {v}."],
         answer=["your {k} is called {v}", "your {k}'s name is {v}"], phrases=["my {k}'s name", "the name of my {k}"], noun="your {k}'s name",
         ask=["what is my {k} called", "what's my {k}'s name", "what is my {k}'s name", "who is my {k}", "what's the name of my {k}"], clauses=["what my {k} is called", "who my {k} is"],
         change=["my {k} is called {v}", "my {k}'s name is {v}", "it's {v}"], check=["is my {k} called {v}", "is {v} my {k}"], weight=1.6),
    Kind("thing", lambda w: _named(w, "things", w.title),
         tell=["my {k} is called {v}", "the name of my {k} is {v}", "I named my {k} {v}", "I have {ak} called {v}", "my {k} is named {v}"],
         tell_alone=["{v} is the name of my {k}", "my {k} has a name: {v}"],
         confirm=["{v} is a good name for {ak}.", "I will remember that your {k} is called {v}.", "{v} sounds great."],
         answer=["your {k} is called {v}", "the name of your {k} is {v}"], phrases=["my {k}'s name", "the name of my {k}"], noun="about your {k}",
         ask=["what is my {k} called", "what's my {k} called", "what is the name of my {k}", "what did I name my {k}", "how is my {k} called"], clauses=["what my {k} is called", "how my {k} is called"],
         change=["my {k} is called {v}", "I renamed my {k} to {v}", "it's {v}"], check=["is my {k} called {v}"], weight=1.6),
    Kind("colour", lambda w: {"v": w.any_of("colours", 0.1)},
         tell=["my favourite colour is {v}", "my favourite color is {v}", "my favorite color is {v}", "the colour I like most is {v}", "I like {v} best of all colours", "I love the colour {v}"],
         tell_alone=["{v} is my favourite colour", "{v} is the best colour", "{v} is my favorite color", "my favourite colour? {v}"],
         confirm=["{v} is a beautiful colour.", "I like {v} too.", "{v}, a good choice.", "I have noted {v}."],
         answer=["your favourite colour is {v}", "your favourite colour is {v}", "you like {v} most"], noun="your favourite colour",
         phrases=["my favourite colour", "my favorite color", "my favourite color", "the colour I like most"],
         ask=["which colour do I like most", "what colour do I like", "what color do I like best", "which colour is my favourite", "what is my favourite colour", "what's my favorite color"],
         clauses=["which colour I like most", "what colour I like", "what my favourite colour is"],
         change=["my favourite colour is {v}", "my favorite color is {v} now", "it's {v}", "I like {v} better", "I prefer {v} now"], check=["is {v} my favourite colour", "is my favourite colour {v}", "do I like {v}"], weight=2.5),
    Kind("order", _order,
         tell=["I'd like {v}", "I would like {v}", "I want to order {v}", "I'll have {v}", "I'd like to order {v}", "my order is {v}", "I want {v}", "I need {v}", "I'll take {v}"],
         tell_alone=["can I get {v}", "can I have {v}, please", "{v} please", "{v}, please", "please bring me {v}", "could I have {v}", "please note my order: {v}", "order: {v}", "get me {v}", "one order: {v}"],
         confirm=["Noted: {v}.", "Coming right up: {v}.", "I have written down {v}.", "Your order is {v}.", "Good choice: {v}."],
         answer=["you ordered {v}", "you ordered {v}", "your order is {v}"], phrases=["my order", "my order", "the order"], noun="your order",
         ask=["what did I order", "what did I order", "what was my order", "what is in my order", "what am I having", "what have I ordered", "what did I want to order", "what do I get", "what's my order",
              "what should you bring me"],
         clauses=["what I ordered", "what my order is", "what is in my order", "what I wanted"],
         change=["make it {v}", "make that {v}", "I'd like {v} instead", "change my order to {v}", "I want {v} instead", "let it be {v}"], check=["did I order {v}", "is my order {v}"], weight=3),
    Kind("birthday", _birthday,
         tell=["my birthday is {p}", "I was born {p}", "I have my birthday {p}", "I celebrate my birthday {p}"], tell_alone=["{v} is my birthday month" , "my birthday? {v}", "my birthday: {v}"],
         confirm=["I will remember that your birthday is {p}.", "A birthday {p}, how nice.", "Noted: your birthday is {p}."],
         answer=["your birthday is {p}"], phrases=["my birthday", "my birthday", "my birthday month", "the month of my birthday"], noun="when your birthday is",
         ask=["when is my birthday", "when is my birthday", "when was I born", "when's my birthday", "which month is my birthday in", "in which month is my birthday", "when do I celebrate my birthday",
              "what month was I born in"],
         clauses=["when my birthday is", "when I was born", "in which month my birthday is"],
         change=["my birthday is {p}", "it's {p}", "I was born {p}"], check=["is my birthday {p}", "was I born {p}"], weight=2),
    Kind("job", _job,
         tell=["I work as {av}", "I'm {av}", "I am {av}", "my job is {v}", "I am {av} by profession", "I have a job as {av}", "I am working as {av}", "I earn my living as {av}"],
         tell_alone=["I'm {av} by trade", "I make my living as {av}"], confirm=["Being {av} must be interesting.", "It must be nice to work as {av}.", "I have noted that you are {av}.", "{av}, how interesting!"],
         answer=["you work as {av}", "you are {av}"], phrases=["my job", "my job", "my profession", "my work"], noun="your job",
         ask=["what do I do for a living", "what is my job", "what do I work as", "what's my job", "what do I do", "what is my profession", "where do I earn my money", "what am I by profession"],
         clauses=["what I do for a living", "what I work as", "what my job is"],
         change=["I work as {av}", "I'm {av}", "I have a new job as {av}", "my job is {v}"], check=["am I {av}", "do I work as {av}"], weight=2.5),
    Kind("hobby", lambda w: {"v": w.any_of("hobbies", 0.06)},
         tell=["my hobby is {v}", "I like {v}", "I love {v}", "I enjoy {v}", "in my free time I like {v}", "I am into {v}", "my favourite hobby is {v}", "I spend my weekends with {v}"],
         tell_alone=["{v} is my hobby", "my hobby? {v}"], confirm=["{v} sounds like fun.", "{v} is a great hobby.", "I have noted {v}.", "Good to know that you like {v}."],
         answer=["your hobby is {v}", "you like {v}"], phrases=["my hobby", "my hobby", "my pastime"], noun="your hobby",
         ask=["what is my hobby", "what do I like to do", "what do I do in my free time", "what's my hobby", "what do I enjoy", "which hobby do I have", "what do I like doing"],
         clauses=["what my hobby is", "what I like to do", "what I do in my free time"],
         change=["my hobby is {v}", "I like {v}", "my new hobby is {v}"], check=["is my hobby {v}", "do I like {v}"], weight=2.5),
    Kind("favourite", _favourite,
         tell=["my favourite {k} is {v}", "my favorite {k} is {v}", "the {k} I like most is {v}", "my favourite {k} is {v}"], tell_alone=["{v} is my favourite {k}", "my favourite {k}? {v}"],
         confirm=["{v} is a good choice.", "I have noted that your favourite {k} is {v}.", "I will remember {v}.", "{v}, I like that."],
         answer=["your favourite {k} is {v}", "your favourite {k} is {v}", "the {k} you like most is {v}"], phrases=["my favourite {k}", "my favorite {k}", "the {k} I like most"], noun="your favourite {k}",
         ask=["what is my favourite {k}", "which {k} do I like most", "what {k} do I like best", "what's my favorite {k}", "what's my favourite {k}"],
         clauses=["what my favourite {k} is", "which {k} I like most"],
         change=["my favourite {k} is {v}", "my favourite {k} is {v} now", "it's {v}"], check=["is {v} my favourite {k}", "is my favourite {k} {v}"], weight=2.5),
    Kind("age", lambda w: {"v": str(w.rng.randint(6, 99))},
         tell=["I am {v} years old", "I'm {v}", "I'm {v} years old", "my age is {v}", "I just turned {v}"], confirm=["{v} is a fine age.", "I have noted that you are {v}."],
         answer=["you are {v} years old"], phrases=["my age"], noun="your age", ask=["how old am I", "what is my age", "how old am I"], clauses=["how old I am"],
         change=["I'm {v}", "I am {v} years old"], check=["am I {v}", "am I {v} years old"]),
    Kind("clock", _clock,
         tell=["my {k} is at {v}", "I have my {k} at {v}", "the {k} is at {v}"], tell_alone=["remind me that my {k} is at {v}", "please note: my {k} is at {v}"],
         confirm=["Noted: your {k} is at {v}.", "I will remember that your {k} is at {v}."], answer=["your {k} is at {v}"], phrases=["the time of my {k}"], noun="when your {k} is",
         ask=["when is my {k}", "what time is my {k}", "at what time is my {k}", "when's my {k}"], clauses=["when my {k} is", "what time my {k} is"],
         change=["my {k} is at {v}", "the {k} is at {v} now", "it's at {v}"], check=["is my {k} at {v}"]),
    Kind("secret", _secret,
         tell=["the {k} is {v}", "my {k} is {v}"], tell_alone=["remember the {k} {v}", "please remember this {k}: {v}", "remember this {k}: {v}", "the {k} to remember is {v}", "{v} is the {k}", "keep the {k} {v} in mind"],
         confirm=["I will remember {v}.", "Noted: the {k} is {v}.", "{v}, I have it.", "I will keep {v} in mind."], answer=["the {k} is {v}"],
         phrases=["the {k}", "my {k}", "the {k}"], noun="the {k}", ask=["what is the {k}", "which {k} did I tell you", "what was the {k}", "what {k} did I give you", "what {k} should you remember"],
         clauses=["what the {k} is", "which {k} I gave you"], change=["the {k} is {v}", "the {k} is now {v}", "it's {v}"], check=["is the {k} {v}"], weight=2),
    Kind("language", lambda w: {"v": w.any_of("languages")},
         tell=["I am learning {v}", "I speak {v}", "I'm studying {v}"], confirm=["{v} is a beautiful language.", "I have noted {v}."], answer=["the language you told me about is {v}", "you told me about {v}"],
         noun="about a language", ask=["which language do I speak", "which language am I learning", "what language do I know"], clauses=["which language I speak", "which language I told you about"],
         change=["the language is {v}", "I mean {v}"]),
    Kind("workplace", lambda w: {"v": w.title()},
         tell=["I work at {v}", "I work for {v}", "my employer is {v}", "I work for a company called {v}"], confirm=["I hope they treat you well at {v}.", "I have noted that you work at {v}."],
         answer=["you work at {v}"], phrases=["my employer"], noun="where you work", ask=["where do I work", "who do I work for", "which company do I work for", "who is my employer"],
         clauses=["where I work", "who I work for"], change=["I work at {v}", "I work for {v} now"], check=["do I work at {v}"]),
]}

# Sentence frames around a noun phrase ("my name") or an indirect question ("where I live").
PHRASE_FRAMES = [
    "what is {}", "what is {}", "what is {}", "what's {}", "what's {}", "tell me {}", "can you tell me {}", "could you tell me {} again", "do you remember {}", "do you remember {}", "do you still know {}",
    "remind me of {}", "I forgot {}", "{}", "and {}", "what was {} again", "what was {}", "please repeat {}", "do you know {}", "say {}", "what did I say {} was", "so what is {}", "what is {} again",
    "can you repeat {}", "I can't remember {}", "please tell me {}", "one more time, what is {}", "now tell me {}", "quick question: what is {}", "and what is {}", "ok, what is {}", "do you recall {}",
]
CLAUSE_FRAMES = [
    "do you remember {}", "do you remember {}", "do you know {}", "tell me {}", "can you tell me {}", "I forgot {}", "remind me {}", "do you still know {}", "could you tell me {}", "say {}", "please tell me {}",
    "did I tell you {}", "can you remember {}", "I can't remember {}", "do you recall {}", "now tell me {}", "have I told you {}",
]


def draw_fact(words: Words, kind: str | None = None) -> Fact:
    chosen = KINDS[kind] if kind else words.rng.choices(list(KINDS.values()), [k.weight for k in KINDS.values()])[0]
    return Fact(chosen, chosen.draw(words))


def redraw(fact: Fact, words: Words) -> Fact:
    """Another value for the same slot: what an edit or a correction says."""
    while True:
        other = Fact(fact.kind, fact.kind.draw(words))
        if other.value.lower() != fact.value.lower():
            if "k" in fact.fields:
                if other.slot != fact.slot and fact.kind.name in ("favourite", "secret"):
                    continue
                other = Fact(fact.kind, {**other.fields, "k": fact.fields["k"], **({"ak": fact.fields["ak"]} if "ak" in fact.fields else {})})
            return other

