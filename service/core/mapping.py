"""A mapping compiled once and applied to a document, with a trace of every field.

Applying never raises for what is in the document: it returns values, the trace and all problems together, so that
a person sees everything that is wrong at once. `MappedDocument.insist` turns problems into the error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as Table

from msgspec import Struct

from service.core.expressions import BadCondition, Condition, Fact, compile_condition
from service.core.field_dictionary import Field, FieldDictionary
from service.core.field_functions import ArgumentValue
from service.core.mapped_document import FieldProblem, FieldTrace, MappedDocument, Outcome, StepTrace
from service.core.mapping_document import MappingDocument, Row
from service.core.source_document import Json, Kind, is_path, payment_paths, read
from service.core.transforms import BadArguments, Transform, TransformFailed, transform_named

_OPEN_ROOT = "pair."
_PAIR_WORD = re.compile(r"\bpair_\w+")


class BadMapping(ValueError):
    """A mapping that cannot work, whatever document it meets.

    Attributes:
        problems: all of them, in the order of the rows.
    """

    def __init__(self, name: str, problems: tuple[FieldProblem, ...]) -> None:
        listed = "; ".join(f"`{problem.target}` {problem.reason}" for problem in problems)
        super().__init__(f"the mapping `{name}` cannot be used: {listed}")
        self.problems = problems


class _Rule(Struct, frozen=True, kw_only=True):
    """A compiled row; its paths already start at the group's item where they mean it."""

    row: Row
    field: Field
    paths: tuple[str, ...]
    chain: tuple[tuple[Transform, dict[str, ArgumentValue]], ...]
    condition: Condition | None
    facts: dict[str, tuple[str, Kind]]


class Mapping(Struct, frozen=True, kw_only=True):
    """A compiled mapping.

    Attributes:
        rules: by target, in the order of the document; those of one target are tried in turn.
    """

    document: MappingDocument
    dictionary: FieldDictionary
    rules: dict[str, tuple[_Rule, ...]]


# --- compiling ------------------------------------------------------------------------------------


def compile_mapping(
    document: MappingDocument,
    dictionary: FieldDictionary,
    tables: Table[str, dict[str, str]] | None = None,
    paths: Table[str, Kind] | None = None,
) -> Mapping:
    """Check a mapping against the target's dictionary and make it ready.

    Args:
        document: the mapping.
        dictionary: the fields of its target.
        tables: value tables that mappings share; the document's own go before them.
        paths: what the source document has; a payment's when left out.

    Raises:
        BadMapping: it lists every unknown target, path, function or variable, and every bad argument.
    """
    compiler = _Compiler(
        document, dictionary, {**(tables or {}), **document.tables}, paths or payment_paths()
    )
    return compiler.compile()


class _Compiler:
    def __init__(
        self,
        document: MappingDocument,
        dictionary: FieldDictionary,
        tables: Table[str, dict[str, str]],
        paths: Table[str, Kind],
    ) -> None:
        self.document = document
        self.dictionary = dictionary
        self.tables = tables
        self.paths = paths
        self.problems: list[FieldProblem] = []

    def compile(self) -> Mapping:
        rules: dict[str, tuple[_Rule, ...]] = {}
        if self.document.target != self.dictionary.document:
            self.problems.append(FieldProblem("target", f"is not `{self.dictionary.document}`"))
        for group, path in self.document.repeats.items():
            if not path.endswith("[]") or not any(known.startswith(f"{path}.") for known in self.paths):
                self.problems.append(
                    FieldProblem(group, f"repeats over `{path}`, which is no list of the source")
                )
        for row in self.document.rows:
            try:
                rule = self._rule(row)
            except (BadArguments, BadCondition) as error:
                self.problems.append(FieldProblem(row.target, f"is wrong: {error}"))
                continue
            rules[row.target] = (*rules.get(row.target, ()), rule)
        if self.problems:
            raise BadMapping(self.document.name, tuple(self.problems))
        return Mapping(document=self.document, dictionary=self.dictionary, rules=rules)

    def _rule(self, row: Row) -> _Rule:
        field = self.dictionary.field(row.target)
        if field is None or field.type == "list":
            raise BadArguments(f"`{self.dictionary.document}` has no such field")
        if row.group and row.group not in self.document.repeats:
            raise BadArguments(f"nothing says which list `{row.group}` repeats over")
        each = self.document.repeats.get(row.group, "")
        for path in row.sources:
            self._check_path(path, row)
        facts = self._facts(each, row.when)
        condition = compile_condition(row.when, frozenset(facts)) if row.when else None
        read_by = condition.variables if condition else ()
        return _Rule(
            row=row,
            field=field,
            paths=tuple(_in_item(path, each) for path in row.sources),
            chain=tuple(self._step(name, arguments) for name, arguments in row.steps()),
            condition=condition,
            facts={name: facts[name] for name in read_by},
        )

    def _check_path(self, path: str, row: Row) -> None:
        if path == "position" and row.group:
            return
        plain = re.sub(r"\[\d+\]", "[]", path)
        known = plain in self.paths or (plain.startswith(_OPEN_ROOT) and plain.count(".") == 1)
        if not is_path(path) or not known:
            raise BadArguments(f"the source has no path `{path}`")

    def _facts(self, each: str, when: str) -> dict[str, tuple[str, Kind]]:
        facts: dict[str, tuple[str, Kind]] = {"position": ("position", "integer")} if each else {}
        for path, kind in self.paths.items():
            inside = _in_item(path, each)
            if kind != "money" and "[]" not in inside:
                facts[inside.replace(".", "_")] = (inside, kind)
        for word in _PAIR_WORD.findall(when):
            facts[word] = (word.replace("_", ".", 1), "text")
        return facts

    def _step(self, name: str, given: dict[str, ArgumentValue]) -> tuple[Transform, dict[str, ArgumentValue]]:
        transform = transform_named(name)
        table = given.get("table")
        if isinstance(table, str):
            if table not in self.tables:
                raise BadArguments(f"there is no table `{table}`")
            given = {**given, "table": self.tables[table]}
        return transform, transform.settle(given)


def _in_item(path: str, each: str) -> str:
    return f"item.{path[len(each) + 1 :]}" if each and path.startswith(f"{each}.") else path


# --- applying -------------------------------------------------------------------------------------


def apply(mapping: Mapping, source: Table[str, Json]) -> MappedDocument:
    """Fill the target document from a source document.

    Returns:
        Values by target field (empty fields are left out), a trace entry per target field and item, and all
        problems: required fields that are empty, values that do not fit, functions that could not take a value.
    """
    values: dict[str, Json] = {}
    trace: list[FieldTrace] = []
    whole: dict[str, Json] = dict(source)
    for target, rules in mapping.rules.items():
        each = mapping.document.repeats.get(rules[0].row.group, "")
        if not each:
            trace.append(_fill(target, rules, whole))
            continue
        items = read(whole, each)
        for index, item in enumerate(items if isinstance(items, list) else []):
            inner: dict[str, Json] = {**source, "item": item, "position": index + 1}
            trace.append(_fill(target.replace("[]", f"[{index}]", 1), rules, inner))
    for field in trace:
        if field.value is not None:
            _put(values, field.target, field.value)
    problems = [FieldProblem(field.target, field.reason) for field in trace if field.outcome == "failed"]
    told = {problem.target for problem in problems}
    gaps = [target for target in mapping.dictionary.gaps(values) if target not in told]
    problems.extend(FieldProblem(target, "is empty, and SYSPRO requires it") for target in gaps)
    return MappedDocument(
        kind=mapping.document.target, values=values, trace=tuple(trace), problems=tuple(problems)
    )


def _fill(target: str, rules: tuple[_Rule, ...], source: Json) -> FieldTrace:
    for rule in rules:
        try:
            if rule.condition is None or rule.condition.holds(_known_facts(rule, source)):
                return _follow(target, rule, source)
        except BadCondition as error:
            return FieldTrace(target=target, outcome="failed", sources=rule.row.sources, reason=str(error))
    return FieldTrace(target=target, outcome="skipped")


def _known_facts(rule: _Rule, source: Json) -> dict[str, Fact]:
    found = {name: read(source, path) for name, (path, _) in rule.facts.items()}
    facts = {name: value for name, value in found.items() if isinstance(value, (str, int))}
    texts = {name: "" for name, (_, kind) in rule.facts.items() if kind == "text"}
    return {**texts, **facts}


def _follow(target: str, rule: _Rule, source: Json) -> FieldTrace:
    found = [read(source, path) for path in rule.paths]
    raw: Json = found[0] if len(found) == 1 else found or None
    value, steps, reason = raw, list[StepTrace](), ""
    for transform, arguments in rule.chain:
        try:
            result = transform.apply(value, arguments)
        except TransformFailed as error:
            value, reason = None, f"could not be made: {error.reason}"
            break
        value = result.value
        steps.append(StepTrace(transform.name, value, result.note))
    outcome: Outcome = "failed" if reason else "mapped"
    if not reason and value in (None, "", []):
        value = rule.row.default
        outcome = "empty" if value is None else "defaulted"
        if value is None and rule.row.required:
            outcome, reason = "failed", "is empty, and the mapping requires it"
    if value is not None and (fault := rule.field.fault(value)):
        outcome, reason = "failed", fault
    return FieldTrace(
        target=target,
        outcome=outcome,
        sources=rule.row.sources,
        raw=raw,
        steps=tuple(steps),
        value=value,
        reason=reason,
    )


def _put(values: dict[str, Json], target: str, value: Json) -> None:
    group, mark, rest = target.partition("[")
    if not mark:
        values[target] = value
        return
    index, _, member = rest.partition("].")
    items = values.setdefault(group, [])
    assert isinstance(items, list), "a group's name is no field of its own"
    while len(items) <= int(index):
        items.append({})
    place = items[int(index)]
    assert isinstance(place, dict), "a group's items are objects"
    place[member] = value
