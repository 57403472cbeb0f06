"""Every size limit of a pipeline document, with its unit. Pure."""

from __future__ import annotations

from typing import Final

# The text
MAX_DOCUMENT_BYTES: Final = 2 * 1024 * 1024
MAX_DEPTH: Final = 64  # mappings and lists inside each other
MAX_NODES: Final = 200_000  # keys, values, mappings and lists
MAX_INTEGER: Final = 2**63 - 1

# What one answer holds
MAX_PROBLEMS: Final = 1_000
MAX_NAME_EFFORT: Final = 400_000  # spent on "did you mean" per validation; 1 is about 1 µs

# The graph
MAX_NAME_LENGTH: Final = 64
MAX_SCOPE_DEPTH: Final = 8  # groups inside groups
MAX_TITLE_LENGTH: Final = 200
MAX_DESCRIPTION_LENGTH: Final = 10_000
MAX_CONDITION_LENGTH: Final = 2_000
MAX_CONDITIONS: Final = 2_000  # different ones in one document; reading one takes a millisecond
MAX_CHECKS: Final = 500
MAX_SPEC_BYTES: Final = 16 * 1024 * 1024  # after references of scopes have been written out

# Code
MAX_SOURCE_BYTES: Final = 256 * 1024  # one inline `source` or one module
MAX_SOURCE_FILES: Final = 5_000

# Values
MAX_INLINE_BYTES: Final = 64 * 1024  # JSON that passes between tasks without a file
