"""What PostgreSQL can hold as text and JSON: no NUL, no half characters, no numbers without a value. Pure."""

from __future__ import annotations

import json
import re
from typing import Any, Final

# A NUL as JSON writes it: the escape, not an escaped backslash before the same letters.
_NUL: Final = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def is_text(text: str) -> bool:
    """Whether a text can be stored: UTF-8 has no lone surrogates, and PostgreSQL takes no NUL."""
    if "\x00" in text:
        return False
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def is_json(value: Any) -> bool:
    """Whether a value that came as JSON can be stored as ``jsonb``."""
    if isinstance(value, str):
        return is_text(value)
    try:
        written = json.dumps(value, ensure_ascii=False, allow_nan=False, default=str)
    except (ValueError, RecursionError):
        return False
    return is_text(written) and not _NUL.search(written)
