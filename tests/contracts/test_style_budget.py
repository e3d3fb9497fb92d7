"""The budget of the house style: files, functions, parameters, nesting; and a few things that must not be there."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("integration", "models", "service", "training", "tests")

pytestmark = pytest.mark.xdist_group("style budget")  # every test reads every file: once is enough

# A limit is raised here, with a reason, or not at all.
LINES_IN_A_FILE = 300
LINES_IN_A_FUNCTION = 50
PARAMETERS = 5
NESTING = 3

# Their claim is that something passes: the call itself raises when it does not.
FAIL_BY_RAISING = frozenset(
    {
        "test_closing_never_raises",
        "test_made_up_addresses_pass_the_postal_rules_of_their_countries",
        "test_two_secrets_are_active_while_one_replaces_the_other",
        "test_five_minutes_are_allowed_either_way",
        "test_ids_and_order_numbers_are_no_card_data",
        "test_a_database_made_by_two_processes_at_once_is_made_once",
    }
)

Function = ast.FunctionDef | ast.AsyncFunctionDef
_BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match)
_UNFINISHED = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME)\b")


@cache
def sources() -> dict[str, str]:
    """Every Python file of the project with its text, by its path from the root."""
    return {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        if "node_modules" not in path.parts
    }


@cache
def tree(name: str) -> ast.Module:
    return ast.parse(sources()[name], name)


@cache
def functions() -> tuple[tuple[str, Function], ...]:
    """Every function with its place."""
    return tuple(
        (f"{name}:{node.lineno} {node.name}", node)
        for name in sources()
        for node in ast.walk(tree(name))
        if isinstance(node, Function)
    )


def parameters(function: Function) -> int:
    """How many parameters a caller may give; `self` and `cls` are no choice of the caller."""
    given = function.args
    named = [each.arg for each in (*given.posonlyargs, *given.args)]
    own = 1 if named[:1] in (["self"], ["cls"]) else 0
    return len(named) - own + len(given.kwonlyargs)


def nesting(node: ast.AST) -> int:
    """The deepest stack of blocks inside a node; an `elif` is no deeper than its `if`, a function starts anew."""
    deepest = 0
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function | ast.Lambda | ast.ClassDef):
            continue
        is_elif = isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]
        deeper = isinstance(child, _BLOCKS) and not is_elif
        deepest = max(deepest, nesting(child) + deeper)
    return deepest


def is_test(function: Function) -> bool:
    return function.name.startswith("test_")


def called(function: Function) -> set[str]:
    """The names of what a function calls, without the objects they belong to."""
    calls = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
    names = {each.id for each in calls if isinstance(each, ast.Name)}
    return names | {each.attr for each in calls if isinstance(each, ast.Attribute)}


def asserts(function: Function) -> bool:
    """Whether a function asserts something or expects an error, in its own body."""
    return any(isinstance(node, ast.Assert) for node in ast.walk(function)) or bool(
        called(function) & {"raises", "fail"}
    )


@cache
def asserting() -> frozenset[str]:
    """The names of the functions among the tests that assert for others."""
    return frozenset(node.name for where, node in functions() if where.startswith("tests") and asserts(node))


def claims(function: Function) -> bool:
    """Whether a test can fail: it asserts, or calls what asserts for it."""
    return asserts(function) or bool(called(function) & asserting())


def over(measure: Callable[[Function], int], limit: int) -> list[str]:
    return [f"{where}: {found}" for where, node in functions() if (found := measure(node)) > limit]


def length(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def test_no_file_is_longer_than_300_lines() -> None:
    lengths = {name: text.count("\n") for name, text in sources().items()}
    assert lengths, "no sources were found"
    assert {name: lines for name, lines in lengths.items() if lines > LINES_IN_A_FILE} == {}


def test_no_function_is_longer_than_50_lines() -> None:
    assert over(length, LINES_IN_A_FUNCTION) == []


def test_no_function_takes_more_than_five_parameters() -> None:
    # A test's parameters are the fixtures it stands on, which nobody passes by hand.
    assert [each for each in over(parameters, PARAMETERS) if " test_" not in each] == []


def test_no_function_nests_deeper_than_three_blocks() -> None:
    assert over(nesting, NESTING) == []


def test_every_module_says_what_it_is_for() -> None:
    assert [
        name for name, text in sources().items() if text.strip() and not ast.get_docstring(tree(name))
    ] == []


def test_no_module_is_a_drawer_for_odds_and_ends() -> None:
    drawers = {"utils", "util", "helpers", "helper", "misc", "common", "tools"}
    assert [name for name in sources() if drawers & set(Path(name).with_suffix("").parts)] == []


def test_nothing_is_left_unfinished() -> None:
    assert [name for name, text in sources().items() if _UNFINISHED.search(text)] == []


def test_every_test_can_fail() -> None:
    silent = [(where, node.name) for where, node in functions() if is_test(node) and not claims(node)]
    assert [where for where, name in silent if name not in FAIL_BY_RAISING] == []
    assert {name for _, name in silent} >= FAIL_BY_RAISING, "an exception that is no longer needed"


@pytest.mark.parametrize(
    ("text", "depth"),
    [
        ("pass", 0),
        ("if a:\n  pass\nelif b:\n  pass\nelif c:\n  pass", 1),
        ("if a:\n  pass\nelse:\n  if b:\n    pass\n  x = 1", 2),
        ("for a in b:\n  with c:\n    try:\n      d()\n    finally:\n      while e:\n        pass", 4),
        ("def f():\n  if a:\n    pass", 0),
    ],
)
def test_nesting_counts_blocks_and_not_elifs(text: str, depth: int) -> None:
    assert nesting(ast.parse(text)) == depth


def test_a_callers_parameters_are_counted_without_self() -> None:
    (method,) = ast.parse("def f(self, a, /, b, *rest, c, **more): ...").body
    assert isinstance(method, ast.FunctionDef)
    assert parameters(method) == 3
