"""Conditions of flows and mappings: CEL, compiled once and bounded.

Only whole numbers, text, booleans and lists of these go in; a decision comes out. Money enters as minor units,
since CEL would turn a decimal into a float. A condition is at most 500 characters long and nests at most two
comprehensions, so that no text a person writes can keep a worker busy.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import cel

Fact = int | str | bool | Sequence[int] | Sequence[str] | Sequence[bool]
Facts = Mapping[str, Fact]

MAX_LENGTH = 500
MAX_DEPTH = 2
MAX_ITEMS = 500
_LARGEST = 2**63 - 1
_ENGINE = "cel.cel"

_MACROS = frozenset({"all", "exists", "exists_one", "filter", "map"})
_FUNCTIONS = frozenset({"size", "contains", "startsWith", "endsWith", "matches"})
_WORDS = frozenset({"true", "false", "in"})
_TOKEN = re.compile(
    r"""(?P<text>[rRbB]{0,2}(?:'{3}.*?'{3}|"{3}.*?"{3}|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"))
      | (?P<comment>//[^\n]*)
      | (?P<float>\d+\.\d*(?:[eE][+-]?\d+)?|\.\d+|\d+[eE][+-]?\d+)
      | (?P<number>0x[0-9a-fA-F]+u?|\d+[uU]?)
      | (?P<name>[A-Za-z_]\w*)
      | (?P<space>\s+)
      | (?P<mark>.)""",
    re.VERBOSE | re.DOTALL,
)


class BadCondition(ValueError):
    """A condition that cannot be compiled, or could not decide.

    Attributes:
        expression: the condition as a person wrote it.
        reason: what is wrong with it, as half a sentence.
        variable: the unknown or missing variable, when that is the cause.
    """

    def __init__(self, expression: str, reason: str, variable: str = "") -> None:
        shown = expression if len(expression) <= 80 else f"{expression[:77]}…"
        super().__init__(f"the condition `{shown}` {reason}")
        self.expression = expression
        self.reason = reason
        self.variable = variable


class Condition:
    """A compiled condition: the same facts always give the same decision.

    Attributes:
        text: as a person wrote it.
        variables: those it reads, sorted.
    """

    __slots__ = ("_program", "text", "variables")

    def __init__(self, text: str, variables: tuple[str, ...], program: cel.Program) -> None:
        self.text = text
        self.variables = variables
        self._program = program

    def holds(self, facts: Facts) -> bool:
        """Whether the condition is true of these facts; facts that it does not read are not looked at.

        Raises:
            BadCondition: a fact is missing, of the wrong kind or too large; types do not fit each other; or
                the result is not a yes or no.
        """
        known = {name: self._fact(name, facts) for name in self.variables}
        try:
            answer: object = self._program.execute(known)
        except (RuntimeError, TypeError, ValueError, ArithmeticError) as error:
            raise BadCondition(self.text, f"could not decide: {error}") from error
        if not isinstance(answer, bool):
            raise BadCondition(self.text, f"must answer yes or no, not {answer!r}")
        return answer

    def _fact(self, name: str, facts: Facts) -> Fact:
        if name not in facts:
            raise BadCondition(self.text, f"needs `{name}`, which this document does not have", name)
        fact = facts[name]
        if isinstance(fact, str) or _is_whole(fact):
            return fact
        if isinstance(fact, (list, tuple)) and all(isinstance(item, str) or _is_whole(item) for item in fact):
            if len(fact) > MAX_ITEMS:
                raise BadCondition(self.text, f"reads `{name}`, which has more than {MAX_ITEMS} items", name)
            return list(fact)
        reason = f"got a {type(fact).__name__} as `{name}`: only whole numbers of 64 bits, text, booleans and lists"
        raise BadCondition(self.text, reason, name)


def _is_whole(fact: object) -> bool:
    return isinstance(fact, int) and -_LARGEST - 1 <= fact <= _LARGEST


def compile_condition(text: str, variables: frozenset[str]) -> Condition:
    """Compile a condition that reads only the given variables.

    Raises:
        BadCondition: it is empty, too long or nested too deeply, has an error in it, uses fractions or a function
            outside the small catalogue, or reads an unknown variable.
    """
    if not text.strip():
        raise BadCondition(text, "is empty")
    if len(text) > MAX_LENGTH:
        raise BadCondition(text, f"is longer than {MAX_LENGTH} characters")
    try:
        program = _compile(text)
    except ValueError as error:
        raise BadCondition(text, f"cannot be read: {_first_line(error)}") from error
    for name in program.functions():
        if name.isidentifier() and not name.startswith("_") and name not in _FUNCTIONS:
            raise BadCondition(text, f"uses `{name}()`; the functions are {', '.join(sorted(_FUNCTIONS))}")
    return Condition(text, tuple(sorted(_Reader(text, variables).read())), program)


def _compile(text: str) -> cel.Program:
    # Importing the package also imports its command line, with prompts and colours: a fifth of a second and 8 MB
    # that nothing here needs. So only the engine inside it is loaded, at the first condition.
    if _ENGINE not in sys.modules:
        package = find_spec("cel")
        spec = PathFinder.find_spec(_ENGINE, package.submodule_search_locations if package else None)
        if spec is None or spec.loader is None:
            raise ModuleNotFoundError("The package `common-expression-language` is incomplete", name=_ENGINE)
        engine = module_from_spec(spec)
        spec.loader.exec_module(engine)
        sys.modules[_ENGINE] = engine
    program: cel.Program = sys.modules[_ENGINE].compile(text)
    return program


def _first_line(error: ValueError) -> str:
    found = re.search(r"Syntax error: ([^\n{]*)", str(error))
    return found[1].strip() if found else str(error).splitlines()[0]


class _Reader:
    """Reads a condition's words in their scopes; CEL itself does not tell a bound name from a free one."""

    def __init__(self, text: str, variables: frozenset[str]) -> None:
        self.text = text
        self.variables = variables
        self.scopes: list[str] = []  # per open parenthesis the name bound inside, or nothing
        self.used: set[str] = set()
        self.joins = False
        self.deepest = 0

    def read(self) -> set[str]:
        words = [match for match in _TOKEN.finditer(self.text) if match.lastgroup not in ("space", "comment")]
        for index, word in enumerate(words):
            before = words[index - 1].group() if index else ""
            after = words[index + 1].group() if index + 1 < len(words) else ""
            if word.lastgroup == "float":
                raise BadCondition(self.text, "has a fraction in it: compare money in whole minor units")
            if word.lastgroup == "name" and before != "." and after != "(":
                self._name(word.group())
            elif word.lastgroup == "mark":
                macro = (
                    word.group() == "("
                    and before in _MACROS
                    and index > 1
                    and words[index - 2].group() == "."
                )
                self._mark(word.group(), after if macro else "")
        if self.joins and self.deepest == MAX_DEPTH:
            # Lists that are glued together inside nested loops would undo the bound on their size.
            raise BadCondition(self.text, "adds things up inside nested comprehensions")
        return self.used

    def _name(self, name: str) -> None:
        if name in _WORDS or name in self.scopes:
            return
        if name not in self.variables:
            known = ", ".join(sorted(self.variables)) or "none"
            raise BadCondition(self.text, f"reads `{name}`, which is not known; known are {known}", name)
        self.used.add(name)

    def _mark(self, mark: str, bound: str) -> None:
        if mark == "(":
            self.scopes.append(bound)
            depth = sum(1 for name in self.scopes if name)
            self.deepest = max(self.deepest, depth)
            if depth > MAX_DEPTH:
                raise BadCondition(self.text, f"nests more than {MAX_DEPTH} comprehensions")
        elif mark == ")":
            self.scopes.pop()
        elif mark == "+":
            self.joins = True
