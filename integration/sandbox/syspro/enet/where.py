"""The conditions of a COMFND document: comparisons joined by And and Or, brackets, LIKE."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import TypeAlias

import msgspec

from integration.sandbox.syspro.enet.xml_in import Node

Cell: TypeAlias = "str | Decimal"
Row: TypeAlias = "Mapping[str, Cell]"

CONDITIONS = ("GT", "GE", "LT", "LE", "EQ", "NE", "LIKE")


class BadWhere(Exception):
    """A condition SYSPRO cannot read: its element, its value and what is wrong.

    Attributes:
        element: ``Column``, ``Condition``, ``Value`` or ``Where``.
    """

    def __init__(self, element: str, value: str, description: str) -> None:
        super().__init__(description)
        self.element = element
        self.value = value


class Condition(msgspec.Struct, frozen=True):
    """One comparison of a column with a value."""

    column: str
    operator: str
    value: str
    pattern: re.Pattern[str] | None = None

    def fits(self, row: Row) -> bool:
        """Whether a row satisfies it; text compares byte by byte, trailing blanks aside."""
        cell = row.get(self.column, "")
        if self.pattern is not None:
            return self.pattern.fullmatch(str(cell).rstrip()) is not None
        order = _compared(cell, self.value)
        return {
            "GT": order > 0, "GE": order >= 0, "LT": order < 0, "LE": order <= 0, "EQ": order == 0,
            "NE": order != 0,
        }[self.operator]  # fmt: skip


class Joined(msgspec.Struct, frozen=True):
    """Tests of which all (``every``) or at least one must hold."""

    every: bool
    tests: tuple[Test, ...]

    def fits(self, row: Row) -> bool:
        """Whether a row satisfies it."""
        return all(t.fits(row) for t in self.tests) if self.every else any(t.fits(row) for t in self.tests)


Test: TypeAlias = "Condition | Joined"
ANYTHING = Joined(True, ())


def _compared(cell: Cell, value: str) -> int:
    """Negative, zero or positive as the cell is less than, equal to or greater than the value."""
    if isinstance(cell, Decimal):
        try:
            wanted = Decimal(value.strip())
        except InvalidOperation:
            raise BadWhere("Value", value, f"Element 'Value' must be numeric, it is '{value}'") from None
        return (cell > wanted) - (cell < wanted)
    held, text = cell.rstrip(), value.rstrip()
    return (held > text) - (held < text)


def like(value: str, *, underscore: bool) -> re.Pattern[str]:
    """A LIKE pattern: ``*`` any characters, ``?`` one; ``%`` and ``_`` too when they are not escaped."""
    any_, one = ("*%", "?_") if underscore else ("*", "?")
    parts = (".*" if c in any_ else "." if c in one else re.escape(c) for c in value.rstrip())
    return re.compile("".join(parts), re.DOTALL)


class _Parser:
    """Reads one ``Where``: And binds closer than Or, as in SQL."""

    def __init__(self, where: Node, *, underscore: bool) -> None:
        self.tokens: list[str | Condition] = []
        self.underscore = underscore
        for number, expression in enumerate(where.all("Expression")):
            if number:
                self.tokens.append(expression.text("AndOr", "And").upper())
            self.tokens += "(" * expression.text("OpenBracket").count("(")
            self.tokens.append(self._condition(expression))
            self.tokens += ")" * expression.text("CloseBracket").count(")")
        self.at = 0

    def _condition(self, expression: Node) -> Condition:
        operator = expression.text("Condition", "EQ").upper()
        value = expression.find("Value")
        text = value.value if value is not None else ""
        if operator not in CONDITIONS:
            allowed = ", ".join(CONDITIONS)
            raise BadWhere("Condition", operator, f"Condition '{operator}' must be one of {allowed}")
        pattern = like(text.strip(), underscore=self.underscore) if operator == "LIKE" else None
        return Condition(expression.text("Column"), operator, text.strip(), pattern)

    def parse(self) -> Test:
        test = self._either() if self.tokens else ANYTHING
        if self.at < len(self.tokens):
            raise BadWhere("Where", "", "Brackets must be in pairs")
        return test

    def _next(self) -> str | Condition | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def _either(self) -> Test:
        tests = [self._both()]
        while self._next() == "OR":
            self.at += 1
            tests.append(self._both())
        return tests[0] if len(tests) == 1 else Joined(False, tuple(tests))

    def _both(self) -> Test:
        tests = [self._one()]
        while self._next() == "AND":
            self.at += 1
            tests.append(self._one())
        return tests[0] if len(tests) == 1 else Joined(True, tuple(tests))

    def _one(self) -> Test:
        token = self._next()
        self.at += 1
        if isinstance(token, Condition):
            return token
        if token != "(":  # noqa: S105 - a token of the condition, not of a session
            raise BadWhere("Where", str(token or ""), "Brackets must be in pairs, AndOr must be And or Or")
        inside = self._either()
        if self._next() != ")":
            raise BadWhere("Where", "", "Brackets must be in pairs")
        self.at += 1
        return inside


def parsed_where(document: Node, *, underscore: bool) -> Test:
    """Read every ``Where`` of a document; several, as one client sends them, must all hold.

    Raises:
        BadWhere: for an unknown condition or brackets that do not pair.
    """
    tests = tuple(_Parser(where, underscore=underscore).parse() for where in document.all("Where"))
    return tests[0] if len(tests) == 1 else Joined(True, tests)


def columns_of(test: Test) -> set[str]:
    """Every column a test looks at."""
    if isinstance(test, Condition):
        return {test.column}
    return {column for part in test.tests for column in columns_of(part)}


def alternatives(test: Test) -> list[dict[str, str]]:
    """Exact values by column, of which every fitting row has one set: what indexes may be asked for.

    An empty set names every row. References asked for by Or come out as one set each.
    """
    if isinstance(test, Condition):
        return [{test.column: test.value} if test.operator == "EQ" else {}]
    parts = [alternatives(part) for part in test.tests]
    if not test.every:
        together = [each for part in parts for each in part]
        return together if all(together) else [{}]
    found: list[dict[str, str]] = [{}]
    for part in sorted(parts, key=len):
        # Of several lists joined by And one is enough: the conditions are tried on the rows anyway.
        if len(found) == 1:
            found = [{**found[0], **each} for each in part]
    return found
