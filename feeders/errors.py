"""The errors a user meets: each says what, where, which value, and what is allowed."""

from __future__ import annotations

__all__ = ["CosimError", "EngineRefusalError", "InputError", "InputErrors", "PowerFlowError"]


class CosimError(Exception):
    """Base of every error that this package raises on purpose."""


class InputError(CosimError, ValueError):
    """An input that cannot be used.

    Parameters
    ----------
    where : str
        The file, table or object that holds the value, e.g. ``"scenario.toml"``.
    field : str
        The field, column or row, e.g. ``"prosumers.home-4.battery_kwh"``.
    value : object
        What was found there; None where a value is missing.
    allowed : str
        What would be accepted, in words a user can act on.
    """

    def __init__(self, where: str, field: str, value: object, allowed: str) -> None:
        self.where, self.field, self.value, self.allowed = where, field, value, allowed
        found = "nothing given" if value is None else f"{_shown(value)} is not allowed"
        super().__init__(f"{where}: {field}: {found}; allowed: {allowed}")


class InputErrors(CosimError, ValueError):  # noqa: N818 - the plural says that there are several
    """All the errors found in one pass over an input, in ``errors``; its text shows the first `SHOWN` of them."""

    SHOWN = 20

    def __init__(self, errors: list[InputError]) -> None:
        self.errors = errors
        super().__init__("\n".join(self.lines()))

    def lines(self) -> list[str]:
        """One line for each error, up to `SHOWN`, then how many more there are."""
        hidden = len(self.errors) - self.SHOWN
        return [str(error) for error in self.errors[: self.SHOWN]] + ([f"and {hidden} more"] if hidden > 0 else [])


class EngineRefusalError(CosimError):
    """A net that an engine cannot compute faithfully; the message names another engine that can."""


class PowerFlowError(CosimError):
    """A power flow without a usable solution.

    Parameters
    ----------
    feeder : str
        Name of the feeder.
    reason : str
        What happened: diverged, voltages outside the plausible range, ...
    bus : int
        The worst bus (index in ``net.bus``).
    vm_pu : float
        Its voltage magnitude, NaN where there is none.
    scenario : int, optional
        Which scenario of a batch it was.
    """

    def __init__(
        self, feeder: str, reason: str, bus: int, vm_pu: float = float("nan"), scenario: int | None = None
    ) -> None:
        self.feeder, self.reason, self.bus, self.vm_pu, self.scenario = feeder, reason, bus, vm_pu, scenario
        where = "" if scenario is None else f" in scenario {scenario} of the batch"
        super().__init__(f"power flow on feeder {feeder!r}: {reason}{where}; worst bus {bus}, vm_pu {vm_pu:.4g}")

    def of_scenario(self, scenario: int) -> PowerFlowError:
        """The same error of another scenario, for callers that number them otherwise."""
        return PowerFlowError(self.feeder, self.reason, self.bus, self.vm_pu, scenario)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 200 else text[:197] + "..."
