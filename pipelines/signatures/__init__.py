"""Block signatures, read from the text of Python code with `ast`; nothing is imported or run. Pure.

A block is a public function at the top of a module. Its arguments are inputs, its return annotation gives
the outputs: a NamedTuple, dataclass or TypedDict one for each field, None none, everything else one called
`result`. What a hint means is found out over imports and classes of the same folder; what cannot be found
out is `any`.
"""

from __future__ import annotations

from pipelines.signatures.found import Blocks, CodeProblem, Signature
from pipelines.signatures.reading import module_name, read_folder, read_modules, read_source

__all__ = ["Blocks", "CodeProblem", "Signature", "module_name", "read_folder", "read_modules", "read_source"]
