"""The result of a mapping: values in the ERP's element names, the trace of every field, and what is wrong."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from integration.errors import UnmappedField
from service.core.source_document import Json

Outcome = Literal["mapped", "defaulted", "empty", "skipped", "failed"]


class FieldProblem(Struct, frozen=True):
    """What is wrong with one field, as half a sentence that does not repeat its value."""

    target: str
    reason: str


class StepTrace(Struct, frozen=True):
    """One field function's result, and its note where it changed what the value says."""

    transform: str
    value: Json
    note: str = ""


class FieldTrace(Struct, frozen=True, kw_only=True):
    """How one target field got its value.

    Attributes:
        sources: the paths that were read; `raw` is what they had (a list when there are several).
        outcome: `skipped` when no row's condition held.
    """

    target: str
    outcome: Outcome
    sources: tuple[str, ...] = ()
    raw: Json = None
    steps: tuple[StepTrace, ...] = ()
    value: Json = None
    reason: str = ""


class MappedDocument(Struct, frozen=True, kw_only=True):
    """The result of a mapping: a document in the ERP's element names, and how it came about."""

    kind: str
    values: dict[str, Json]
    trace: tuple[FieldTrace, ...]
    problems: tuple[FieldProblem, ...] = ()

    def insist(self, payment: str) -> dict[str, Json]:
        """The values, when there is no problem.

        Args:
            payment: the vendor transaction code, for the error's text.

        Raises:
            UnmappedField: it lists every field that is missing or does not fit.
        """
        if not self.problems:
            return self.values
        listed = "; ".join(f"`{problem.target}` {problem.reason}" for problem in self.problems)
        title = f"Payment `{payment}` cannot be mapped to `{self.kind}`: {listed}."
        raise UnmappedField(title, evidence={problem.target: problem.reason for problem in self.problems})
