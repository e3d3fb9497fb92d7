"""The handbook says what is so: its tables, commands, routes, codes and links are held against the code."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import rich_click as click
import yaml

from service.cli import cli
from service.core.flow_law import check
from service.core.flows import FlowDocument
from service.store.pairs import PairSettings
from tests.contracts import handbook
from tests.contracts.handbook import DOCS, PAGES, ROOT

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\((?!https?://|mailto:)([^)#\s]+)(?:#[^)]*)?\)")
_TARGET = re.compile(r"^([a-z-]+):", re.MULTILINE)
_CODE = re.compile(r"[a-z]+\.[a-z0-9]+(?:-[a-z0-9]+)*")

# In these, every dotted text is a code: tables of codes, and rules that name themselves.
_TABLES_OF_CODES = ("core/validation.py", "syspro/refusals.py", "harmony/wire.py")
_CALLS_WITH_A_CODE = frozenset({"Refused", "problem", "alert", "wrong", "Reason", "_given_up"})


def blocks(page: Path, language: str) -> Iterator[str]:
    return (found[2] for found in _FENCE.finditer(page.read_text("utf-8")) if found[1] == language)


def commands(name: str) -> Iterator[tuple[str, list[str]]]:
    """Every shown call of a program: the page, and the words after the program's name."""
    call = re.compile(rf"^(?:\S+/)?{re.escape(name)}(?:[ ]+(.*))?$", re.MULTILINE)
    for page in PAGES:
        for block in blocks(page, "sh"):
            for found in call.finditer(block.replace("\\\n", " ")):
                yield page.name, shlex.split(found[1] or "", comments=True)


def test_every_table_made_from_the_code_is_up_to_date() -> None:
    for page in PAGES:
        assert page.read_text("utf-8") == handbook.refreshed(page), "run `make handbook`"


def test_every_table_that_can_be_made_is_on_a_page() -> None:
    assert {name for page in PAGES for name in handbook.marked(page)} == set(handbook.TABLES)


def test_every_command_shown_exists_with_its_options() -> None:
    shown = list(commands("opayo-syspro"))
    assert len(shown) > 5
    context = click.Context(cli)
    for page, words in shown:
        command = cli.get_command(context, words[0]) if words and not words[0].startswith("-") else cli
        assert command is not None, f"{page}: {words}"
        options = {
            option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)
        }
        given = {word.split("=")[0] for word in words if word.startswith("-")}
        assert given <= options | {"--help", "-h"}, f"{page}: {words}"


def test_every_command_of_the_product_is_shown() -> None:
    shown = {words[0] for _, words in commands("opayo-syspro") if words}
    assert set(cli.list_commands(click.Context(cli))) - shown == set()


def test_every_make_target_shown_exists() -> None:
    targets = set(_TARGET.findall((ROOT / "Makefile").read_text("utf-8")))
    shown = [(page, words) for page, words in commands("make") if words]
    assert shown
    for page, words in shown:
        assert {word for word in words if "=" not in word} <= targets, f"{page}: {words}"


def test_every_page_that_is_linked_exists() -> None:
    for page in PAGES:
        missing = [
            link for link in _LINK.findall(page.read_text("utf-8")) if not (page.parent / link).exists()
        ]
        assert missing == [], page


def test_every_page_of_the_handbook_is_in_its_index() -> None:
    linked = set(_LINK.findall((DOCS / "index.md").read_text("utf-8")))
    assert {page.name for page in DOCS.glob("*.md")} - linked == {"index.md"}


def test_every_file_that_a_page_names_exists() -> None:
    named = re.compile(r"`((?:service|integration|data|tests)/[\w./-]+\.(?:py|yaml|md|sql))`")
    for page in PAGES:
        missing = [name for name in named.findall(page.read_text("utf-8")) if not (ROOT / name).exists()]
        assert missing == [], page


def test_the_pair_shown_is_a_pair() -> None:
    pairs = [block for block in blocks(DOCS / "settings.md", "json") if '"vendor"' in block]
    assert pairs
    for text in pairs:
        assert handbook.read_pair(text).pair


def test_every_member_of_a_pair_is_explained() -> None:
    text = (DOCS / "settings.md").read_text("utf-8")
    assert [name for name in handbook.members(PairSettings) if f"`{name}`" not in text] == []


def test_the_flow_shown_is_lawful() -> None:
    flows = [
        yaml.safe_load(block) for block in blocks(DOCS / "flows-and-mappings.md", "yaml") if "nodes:" in block
    ]
    assert flows
    assert [check(FlowDocument.from_dict(flow)) for flow in flows] == [()] * len(flows)


def codes() -> Iterator[tuple[str, str]]:
    """Every stable code that the product can show, and where."""
    for path in sorted([*(ROOT / "integration").rglob("*.py"), *(ROOT / "service").rglob("*.py")]):
        where = str(path.relative_to(ROOT))
        if "sandbox" not in path.parts:
            yield from ((code, where) for code in _codes_in(path, every=where.endswith(_TABLES_OF_CODES)))


def _codes_in(path: Path, *, every: bool) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        constants = [node] if every and isinstance(node, ast.Constant) else _code_of(node)
        found = (each.value for each in constants if isinstance(each.value, str))
        yield from (text for text in found if _CODE.fullmatch(text))


def _code_of(node: ast.AST) -> Iterator[ast.Constant]:
    values: list[ast.expr | None] = []
    if isinstance(node, ast.keyword) and node.arg == "code":
        values = [node.value]
    elif isinstance(node, ast.ClassDef):
        values = [
            each.value for each in node.body if isinstance(each, ast.AnnAssign) and _is_code(each.target)
        ]
    elif isinstance(node, ast.Call) and _name(node.func) in _CALLS_WITH_A_CODE:
        values = list(node.args)
    elif isinstance(node, ast.Assign) and _is_code(node.targets[0]):
        values = [node.value]
    for value in values:
        if value is not None:
            yield from (each for each in ast.walk(value) if isinstance(each, ast.Constant))


def _is_code(target: ast.expr) -> bool:
    return isinstance(target, ast.Name) and target.id == "code"


def _name(called: ast.expr) -> str:
    return called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")


def test_every_code_has_its_line_on_the_errors_page() -> None:
    explained = set(re.findall(r"^\| `([\w.-]+)`", (DOCS / "errors.md").read_text("utf-8"), re.MULTILINE))
    found = dict(codes())
    assert len(found) > 80
    assert {code: where for code, where in found.items() if code not in explained} == {}
    # Those put together from two words appear in no source as a whole.
    made = {
        f"{subject}.{word}"
        for subjects, words in (
            (("opayo", "syspro", "shop", "subscriber"), ("busy", "outcome-unknown", "unreachable")),
            (("chargeback",), ("won", "lost")),
            (("order",), ("not-shipped", "not-invoiced")),
            (("subscription",), ("cancelled", "declined", "stopped")),
        )
        for subject in subjects
        for word in words
    }
    unknown = {code for code in explained - set(found) - made if not code.startswith("http.")}
    assert unknown == set(), "lines for codes that nothing raises"
