"""Lights, and the board of one pair on which they are lit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal, NamedTuple

from msgspec import Struct

from integration.errors import IntegrationError

State = Literal["green", "red", "not checked"]


class Light(Struct, frozen=True, kw_only=True):
    """One light.

    Attributes:
        state: `not checked` when nobody can tell, mostly because another light is red.
        found: what was found, in a sentence's half.
        advice: what to do about it; empty when it is green.
    """

    pair: str
    name: str
    state: State
    found: str
    advice: str = ""

    @property
    def green(self) -> bool:
        """Whether all is well."""
        return self.state == "green"

    @property
    def red(self) -> bool:
        """Whether something is wrong here."""
        return self.state == "red"


class Amiss(Exception):
    """What a probe raises when it was answered, and the answer is not good."""

    def __init__(self, found: str, advice: str) -> None:
        super().__init__(found)
        self.found = found
        self.advice = advice


class Undecided(Exception):
    """What a probe raises when it cannot tell."""

    def __init__(self, found: str, advice: str = "") -> None:
        super().__init__(found)
        self.found = found
        self.advice = advice


Probe = Callable[[], Awaitable[str]]
"""Gives what it found; raises an `IntegrationError`, `Amiss` or `Undecided`."""


class Suspect(NamedTuple):
    """The light that an error belongs to, what to do (empty where the error itself knows), and whether it is sure."""

    light: str
    advice: str = ""
    certain: bool = True


Blame = Callable[[IntegrationError], Suspect | None]
"""Whom an error points at, when it is not the light that was asked for."""


class Board:
    """The lights of one pair. A light that is red stays red, with its first cause."""

    def __init__(self, pair: str) -> None:
        self.pair = pair
        self._lights: dict[str, Light] = {}

    @property
    def lights(self) -> list[Light]:
        """All of them, in the order in which they were announced."""
        return list(self._lights.values())

    def announce(self, *names: str, why: str = "") -> None:
        """Say which lights there will be; until they are lit they are not checked, and `why` says why not."""
        for name in names:
            self._lights.setdefault(name, self._light(name, "not checked", why))

    def explain(self, why: str, *names: str) -> None:
        """Say why lights that are still not checked are not."""
        for name in names:
            if self._lights[name].state == "not checked" and not self._lights[name].found:
                self._lights[name] = self._light(name, "not checked", why)

    def green(self, name: str, found: str) -> None:
        """All is well."""
        self._set(self._light(name, "green", found))

    def red(self, name: str, found: str, advice: str) -> None:
        """Something is wrong."""
        self._set(self._light(name, "red", found, advice))

    def undecided(self, name: str, found: str, advice: str = "") -> None:
        """Nobody can tell."""
        self._set(self._light(name, "not checked", found, advice))

    def is_red(self, name: str) -> bool:
        """Whether a light is red by now."""
        return self._lights[name].red

    async def ask(self, name: str, probe: Probe, blame: Blame = lambda error: None) -> bool:
        """Light a lamp by what a probe finds; whether it is green."""
        try:
            self.green(name, await probe())
            return True
        except Amiss as amiss:
            self.red(name, amiss.found, amiss.advice)
        except Undecided as undecided:
            self.undecided(name, undecided.found, undecided.advice)
        except IntegrationError as error:
            guilty = blame(error) or Suspect(name)
            accuse = self.red if guilty.certain else self.undecided
            accuse(guilty.light, error.title, guilty.advice or error.advice)
            if guilty.light != name:
                self.undecided(name, f"it waits for `{guilty.light}`")
        except Exception as error:  # noqa: BLE001 - a defect behind one light must not put out the others
            self.red(name, f"the check failed: {type(error).__name__}", "Report it with the version.")
        return False

    def _set(self, light: Light) -> None:
        held = self._lights.get(light.name)
        if held is None or not held.red:
            self._lights[light.name] = light

    def _light(self, name: str, state: State, found: str, advice: str = "") -> Light:
        return Light(pair=self.pair, name=name, state=state, found=found, advice=advice)
