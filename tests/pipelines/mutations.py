"""Documents made by breaking good and bad ones, at random from a seed."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from typing import Any, Final

import yaml

from pipelines.document import parse
from tests.pipelines.digits import DOCUMENT, HERE

PIECES: Final = (
    *(
        "&a ",
        "*a",
        "!!int ",
        "{",
        "}",
        "[",
        "]",
        ": ",
        "- ",
        "\t",
        "\n",
        "#",
        "|",
        ">",
        "'",
        '"',
        "%",
        "---\n",
    ),
    *(
        "\x00",
        "\x07",
        "\ufeff",
        "\u202e",
        "\ud800",
        "é",
        "💥",
        "9" * 400,
        "1e999",
        ".nan",
        "~",
        "null",
        "true",
    ),
    *(
        "${{",
        "}}",
        "${{ params.x }}",
        "${{ tasks.train.outputs.model }}",
        "${{ inputs.y }}",
        "${{ secrets.z }}",
    ),
    *(
        "needs: [train]\n",
        "kind: map\n",
        "tasks:\n",
        "with:\n",
        "  ",
        "on: [yes, no]\n",
        "<<: *a\n",
        "? x\n: y\n",
    ),
)
VALUES: Final[tuple[Any, ...]] = (
    *(
        None,
        True,
        -1,
        0,
        1.5,
        10**30,
        "",
        "x" * 3000,
        "\n",
        "a/b",
        "0s",
        "1h",
        "2Gi",
        "train",
        "digits:train",
    ),
    *(
        [],
        {},
        [None],
        [[]],
        {"": ""},
        {"a": None},
        {"kind": "group"},
        {"kind": "python", "source": "def f(: pass"},
    ),
    *("${{ tasks.ingest.outputs.table }}", "${{ tasks.g.outputs.o }}", "${{ params.learning_rate }}!", "${{"),
    *(
        "tasks.ingest.outputs.table",
        "params.min_accuracy > 1",
        "((((",
        "x.y.z",
        ["ingest", "ingest"],
        [{"task": 1}],
    ),
    {
        "kind": "group",
        "tasks": {"a": {"kind": "shell", "run": "x"}},
        "outputs": {"o": "${{ tasks.a.outputs.q }}"},
    },
)
KEYS: Final = (
    *(
        "kind",
        "run",
        "source",
        "with",
        "needs",
        "when",
        "queue",
        "timeout",
        "retries",
        "resources",
        "checks",
        "by",
    ),
    *(
        "tasks",
        "outputs",
        "over",
        "as",
        "deadline",
        "cache",
        "title",
        "parameters",
        "code",
        "defaults",
        "",
        "a b",
    ),
)


def sources() -> list[str]:
    """What is broken: the good document many times, and each bad one."""
    bad = [path.read_bytes().decode("utf-8", "replace") for path in (HERE / "bad_documents").glob("*.yaml")]
    return [DOCUMENT] * 40 + sorted(bad)


def by_text(count: int, seed: int) -> Iterator[str | bytes]:
    """Documents whose text was broken."""
    chance = random.Random(seed)
    texts = sources()
    for _ in range(count):
        text = chance.choice(texts)
        for _ in range(chance.randint(1, 6)):
            text = chance.choice(TEXT_MUTATIONS)(text, chance)
        yield text.encode("utf-8", "surrogatepass") if chance.random() < 0.2 else text


def by_structure(count: int, seed: int) -> Iterator[str]:
    """Documents that can be read and whose values, keys and items were broken."""
    chance = random.Random(seed)
    roots = [root.raw for text in sources() if (root := parse(text).root) is not None]
    for _ in range(count):
        document = copy.deepcopy(chance.choice(roots))
        for _ in range(chance.randint(1, 5)):
            document = _broken(document, chance)
        yield yaml.safe_dump(document, sort_keys=False, allow_unicode=True)


# --- breaking text ----------------------------------------------------------------------------------

TextMutation = Callable[[str, random.Random], str]


def _insert(text: str, chance: random.Random) -> str:
    at = chance.randint(0, len(text))
    return text[:at] + chance.choice(PIECES) + text[at:]


def _cut(text: str, chance: random.Random) -> str:
    at = chance.randint(0, len(text))
    return text[:at] + text[at + chance.randint(1, 20) :]


def _move_line(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    lines.insert(chance.randrange(len(lines)), lines.pop(chance.randrange(len(lines))))
    return "\n".join(lines)


def _repeat_line(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    lines.insert(chance.randrange(len(lines)), chance.choice(lines))
    return "\n".join(lines)


def _indent(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    number = chance.randrange(len(lines))
    lines[number] = "  " + lines[number] if chance.random() < 0.5 else lines[number].removeprefix("  ")
    return "\n".join(lines)


def _swap_word(text: str, chance: random.Random) -> str:
    words = text.split(" ")
    words[chance.randrange(len(words))] = chance.choice([*words, *PIECES])
    return " ".join(words)


TEXT_MUTATIONS: Final[tuple[TextMutation, ...]] = (
    _insert,
    _cut,
    _move_line,
    _repeat_line,
    _indent,
    _swap_word,
)


# --- breaking structure -----------------------------------------------------------------------------


def _broken(document: Any, chance: random.Random) -> Any:
    """One place, found by walking down at random, gets another value, key or item."""
    holder = document
    while True:
        children = list(holder.values()) if isinstance(holder, dict) else holder
        inner = [child for child in children if isinstance(child, dict | list) and child]
        if not inner or chance.random() < 0.25:
            break
        holder = chance.choice(inner)
    value = copy.deepcopy(chance.choice(VALUES))
    if isinstance(holder, list):
        holder[chance.randrange(len(holder)) :] = [value]
    elif holder and chance.random() < 0.6:
        holder[chance.choice(list(holder))] = value
    elif holder and chance.random() < 0.3:
        del holder[chance.choice(list(holder))]
    else:
        holder[chance.choice(KEYS)] = value
    return document
