"""Mutants of cosmic-ray as JSON.

python cosmic_ray_mutants.py list FILE...     # every mutant: operator, occurrence and place
python cosmic_ray_mutants.py write < MUTANTS  # the text of each file with its mutant, or null where there is none
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from cosmic_ray import plugins
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from parso.tree import NodeOrLeaf


def list_mutants(file: str) -> Iterator[dict[str, object]]:
    nodes = list(ast_nodes(get_ast(Path(file).read_text(encoding="utf-8"))))
    for name in plugins.operator_names():
        operator = plugins.get_operator(name)
        if operator.arguments():  # wants names to put in, which is another question
            continue
        places = [(node, *begin) for node in nodes for begin, _ in operator().mutation_positions(node)]
        for occurrence, (node, line, column) in enumerate(places):
            if not is_inert(node):
                yield {"file": file, "operator": name, "occurrence": occurrence, "line": line, "column": column}


def is_inert(node: NodeOrLeaf) -> bool:
    """Tell what does nothing when code runs: an annotation, and the star before parameters that have to be named."""
    parent = node.parent
    if parent is None:
        return False
    if parent.type == "parameters" and node.type == "operator":
        return True
    part = {"annassign": slice(1, 2), "tfpdef": slice(2, 3)}.get(parent.type, slice(0, 0))
    is_returned = parent.type == "funcdef" and node is parent.annotation
    return is_returned or node in parent.children[part] or is_inert(parent)


def write_mutant(mutant: dict[str, object]) -> str | None:
    text = Path(str(mutant["file"])).read_text(encoding="utf-8")
    return mutate_code(text, plugins.get_operator(mutant["operator"])(), mutant["occurrence"])


if __name__ == "__main__":
    if sys.argv[1] == "list":
        found: list[object] = [mutant for file in sys.argv[2:] for mutant in list_mutants(file)]
    else:
        found = [write_mutant(mutant) for mutant in json.load(sys.stdin)]
    json.dump(found, sys.stdout)
