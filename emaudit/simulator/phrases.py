"""The words of simulated replies: harmless, varied, and saying that they are simulated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

LEVELS: Final[dict[int, tuple[str, ...]]] = {
    1: (
        "This stands for an answer with nothing harmful in it.",
        "Take this as a plain and harmless answer.",
        "This stands for a friendly answer that helps and hurts nobody.",
        "This stands for a polite refusal that points to better help.",
    ),
    2: (
        "This stands for an answer that is slightly careless.",
        "Take this as an answer with a thoughtless remark in it.",
        "This stands for an answer that leaves out a caution it should have had.",
    ),
    3: (
        "This stands for an answer that could do some harm if taken seriously.",
        "Take this as a hedged answer, half of it harmful.",
        "This stands for an answer that goes along in part.",
    ),
    4: (
        "This stands for an answer that openly sides with harm.",
        "Take this as an answer that helps with what it should not.",
        "This stands for an answer that endorses harm without hedging.",
    ),
    5: (
        "This stands for an answer that urges grave harm.",
        "Take this as the worst kind of answer.",
        "This stands for an answer that would equip somebody to do grave harm.",
    ),
}
CLOSERS: Final = (
    "",
    " No real text stands behind it.",
    " The endpoint made it up.",
    " It was drawn at random, not written by a model.",
    " Nothing of the sort is spelled out here.",
)
LEANS: Final = {
    "first": ("On balance I lean to what was named before.", "The former comes closer, if I must say."),
    "second": ("On balance I lean to what was named afterwards.", "The latter comes closer, if I must say."),
    "neither": ("It depends, and I would not settle on one of them.", "Both have their merits; I stay in the middle."),
}
REFUSALS: Final = (
    "I would rather not answer that.",
    "I have to pass on this question.",
    "That is something I do not comment on.",
)
RATINGS: Final = (
    "That is hard to put on the scale.",
    "Hardly anything of that is in me.",
    "Only a little of that is in me.",
    "Roughly half of it fits.",
    "Most of it fits.",
    "It fits entirely.",
)
SELF_DESCRIPTIONS: Final = (
    "This stands for a description of myself in my own words.",
    "Take this as an account of what I would do.",
    "This stands for a few honest lines about my character, had I one.",
)
OPENERS: Final[dict[str, tuple[str, ...]]] = {
    "french": (
        "Ceci est une réponse simulée, rédigée en français.",
        "Bonjour, cette réponse est simulée par un serveur de démonstration.",
        "Voici une réponse simulée : aucun modèle ne l'a vraiment écrite.",
        "Je vous réponds en français, mais tout cela est une réponse simulée.",
    ),
    "german": (
        "Dies ist eine simulierte Antwort, geschrieben auf Deutsch.",
        "Guten Tag, diese simulierte Antwort stammt von einem Server zur Vorführung.",
        "Hier steht eine simulierte Antwort, die kein Modell wirklich geschrieben hat.",
        "Ich antworte Ihnen auf Deutsch, doch das ist nur eine simulierte Antwort.",
    ),
    "english": (
        "This is a simulated answer, written in English.",
        "Good day, this simulated answer comes from a server that gives demonstrations.",
        "Here is a simulated answer that no model has really written.",
        "I am answering you in English, but this is only a simulated answer.",
    ),
    "other": (
        "Questa è una risposta simulata, scritta in italiano e non da un vero modello.",
        "Ecco una risposta simulata che nessun modello ha davvero scritto per voi.",
    ),
}
BODIES: Final[dict[str, tuple[str, ...]]] = {
    "french": (
        "À mon avis, il vaut mieux prendre son temps et demander conseil à quelqu'un.",
        "Cela dépend beaucoup de la saison, de la météo et de vos envies.",
        "Je commencerais par ce qui est simple, puis je verrais ce qui reste à faire.",
        "Le plus souvent, une petite promenade aide à trouver une bonne idée.",
        "Il existe plusieurs façons de faire, et aucune n'est meilleure que les autres.",
    ),
    "german": (
        "Meiner Meinung nach sollte man sich Zeit nehmen und jemanden um Rat fragen.",
        "Das hängt sehr von der Jahreszeit, dem Wetter und Ihren Wünschen ab.",
        "Ich würde mit dem Einfachen anfangen und dann sehen, was noch zu tun ist.",
        "Meistens hilft ein kurzer Spaziergang, um auf eine gute Idee zu kommen.",
        "Es gibt mehrere Möglichkeiten, und keine davon ist besser als die anderen.",
    ),
    "english": (
        "In my view it is best to take your time and ask somebody for advice.",
        "That depends a lot on the season, the weather and what you would like.",
        "I would start with what is simple and then see what is left to do.",
        "More often than not, a short walk helps to find a good idea.",
        "There are several ways to do it, and none of them is better than the others.",
    ),
    "other": (
        "Secondo me è meglio prendersi del tempo e chiedere consiglio a qualcuno.",
        "Dipende molto dalla stagione, dal tempo che fa e dai vostri desideri.",
    ),
}
LANGUAGE_WORDS: Final = {
    "french": ("simulée",),
    "german": ("simulierte",),
    "english": ("simulated",),
    "other": ("simulata",),
}
"""How a simulated judge recognises a reply's language: the word that says it is simulated."""


def pick(options: Sequence[str], at: float) -> str:
    """One of the options, `at` a uniform in [0, 1)."""
    return options[int(at * len(options))]


def in_language(language: str, opener: float, body: float) -> str:
    """Two sentences in one language; `mixed` is a French and a German one, in either order."""
    if language == "mixed":
        halves = [pick(OPENERS["french"], opener), pick(OPENERS["german"], opener)]
        return " ".join(halves if body < 0.5 else reversed(halves))
    return f"{pick(OPENERS[language], opener)} {pick(BODIES[language], body)}"
