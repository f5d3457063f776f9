"""System prompts from a few words to several hundred tokens, some with facts that the user may ask about."""

from dataclasses import dataclass

from facts import plural
from vocabulary import WORDS, Words, read_sections

_BANK = read_sections("system_prompts.txt")


@dataclass(frozen=True)
class HouseFact:
    """A fact that the system prompt states: one sentence, the questions for it and the answer."""

    sentence: str
    questions: list[str]
    answer: str
    value: str


@dataclass(frozen=True)
class SystemPrompt:
    text: str
    bot: str | None
    house: list[HouseFact]


def _house_facts(words: Words) -> list[HouseFact]:
    rng = words.rng
    opening, closing = f"{rng.randint(6, 11)} am", f"{rng.randint(4, 10)} pm"
    street = f"{rng.randint(1, 99)} {words.title()} Street"
    wifi = words.any_of("plain words", 0.6) + words.digits(1, 3)
    code = words.invented().upper() + words.digits(1, 2)
    days = str(rng.randint(2, 60))
    manager, company, phone = words.first_name(), words.title(), words.digits(4, 6)
    special = rng.choice(WORDS["dishes"])
    facts = [
        HouseFact(f"The shop opens at {opening}.", ["when do you open", "what time do you open", "when does the shop open", "opening time"], f"The shop opens at {opening}.", opening),
        HouseFact(f"We close at {closing}.", ["when do you close", "what time do you close", "until when are you open", "when does the shop close"], f"We close at {closing}.", closing),
        HouseFact(f"The address is {street}.", ["what is your address", "what is the address", "where is the shop", "where can I find you"], f"The address is {street}.", street),
        HouseFact(f"The wifi password is {wifi}.", ["what is the wifi password", "do you have wifi", "how do I get on the wifi", "wifi password please"], f"The wifi password is {wifi}.", wifi),
        HouseFact(f"The discount code is {code}.", ["is there a discount", "what is the discount code", "do you have a discount code"], f"The discount code is {code}.", code),
        HouseFact(f"Delivery takes {days} days.", ["how long does delivery take", "when will my parcel arrive", "how fast do you deliver"], f"Delivery takes {days} days.", days),
        HouseFact(f"The manager is called {manager}.", ["who is the manager", "what is the name of the manager", "can I speak to the manager"], f"The manager is called {manager}.", manager),
        HouseFact(f"The company is called {company}.", ["what is the company called", "which company is this", "what is the name of the company"], f"The company is called {company}.", company),
        HouseFact(f"The phone number is {phone}.", ["what is your phone number", "how can I call you", "can I call the shop", "phone number please"], f"The phone number is {phone}.", phone),
        HouseFact(f"Today's special is {special}.", ["what is today's special", "do you have a special", "what do you recommend today"], f"Today's special is {special}.", special),
    ]
    rng.shuffle(facts)
    return facts


def _filler(words: Words) -> str:
    rng, nouns = words.rng, WORDS["plain words"]
    noun = rng.choice(nouns) if rng.random() < 0.8 else words.invented()
    return rng.choice(_BANK["sentences"]).format(
        noun=noun, noun2=rng.choice(nouns), plural=plural(rng.choice(nouns)), place=rng.choice(_BANK["places"]), number=rng.randint(2, 90), day=words.any_of("days"))


def draw_system_prompt(words: Words, sentences: int) -> SystemPrompt:
    """A prompt of about the given number of sentences (12 tokens each)."""
    rng, bot = words.rng, None
    if rng.random() < 0.3:
        bot, company = words.first_name(), words.title()
        parts = [rng.choice(_BANK["personas"]).format(bot=bot, company=company)]
    else:
        parts = [rng.choice(_BANK["roles"])]
    house: list[HouseFact] = []
    if sentences > 1 and rng.random() < 0.45:
        house = _house_facts(words)[: rng.randint(1, min(6, sentences))]
    body = [fact.sentence for fact in house]
    while len(body) + len(parts) < sentences:
        body.append(rng.choice(_BANK["rules"]) if rng.random() < 0.45 else _filler(words))
    rng.shuffle(body)
    separator = "\n" if rng.random() < 0.15 else " "
    if rng.random() < 0.1:
        body = ["- " + sentence for sentence in body]
        separator = "\n"
    return SystemPrompt(separator.join(parts + body), bot, house)
