"""What the server reads in documents: JSON lines with a text in, JSON lines with graph and problems out.

Run as `python -m tests.pipelines.graphs_of_texts` by the tests of the editor, which must read the same.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from pipelines.validation import validate


def seen(text: str) -> dict[str, Any]:
    """tasks and edges are None when the document cannot be drawn."""
    result = validate(text)
    graph = result.graph
    return {
        "tasks": graph and [[task.key, task.kind, task.parent] for task in graph.tasks],
        "edges": graph and [[edge.up, edge.down, edge.rule, edge.data] for edge in graph.edges],
        "problems": [[problem.code, problem.line, problem.message] for problem in result.problems],
    }


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(seen(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
