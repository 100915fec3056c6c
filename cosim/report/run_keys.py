"""The figures of a run that are read first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from cosim.indices import near_and_far
from cosim.outcome import Run
from cosim.report.html import Child, Html, element, section
from cosim.report.numbers import counted, fixed, measured, minutes, share

__all__ = ["STATUS_WORDS", "Key", "cards", "key_section", "not_ok", "worst_off"]

Array = npt.NDArray[np.float64]

STATUS_WORDS = {
    "range-missed": "range missed",
    "plan-kept": "plan kept",
    "not-settled": "not settled",
    "lp-fallback": "LP fallback",
}


@dataclass(frozen=True)
class Key:
    """One figure: what it is, its value, and a line on it; `warns` where somebody should look."""

    name: str
    value: str
    note: Child = None
    warns: bool = False


def key_section(run: Run) -> Html:
    """The figures of a run; of one that failed those that do not need its end."""
    found = (
        list(_status(run)) if run.failure is not None else [*_gain(run), *_energy(run), *_voltage(run), *_status(run)]
    )
    return section("key", "Key figures", cards(found))


def cards(keys: list[Key]) -> Html:
    """Figures side by side."""
    return element(
        "ul",
        *(
            element(
                "li",
                element("span", key.name, class_="what"),
                element("strong", key.value),
                element("span", key.note, class_="note") if key.note else None,
                class_="warns" if key.warns else None,
            )
            for key in keys
        ),
        class_="cards",
    )


def worst_off(indices: pd.DataFrame) -> int | None:
    """Place of whoever keeps least of its gain, of equals the farthest; None where nobody has one."""
    known = indices[indices["gain_kept_percent"].notna()]
    if known.empty:
        return None
    # What differs by less than a millionth differs by rounding.
    order = known.assign(kept=known["gain_kept_percent"].round(6), near=-known["distance_ohm"])
    return int(order.sort_values(["kept", "near"], kind="stable").index[0])


def not_ok(run: Run) -> tuple[int, int]:
    """Control steps of all prosumers in which something was out of the ordinary, and all of them."""
    total = sum(run.step_status.values())
    return total - run.step_status.get("ok", 0), total


def _gain(run: Run) -> Iterator[Key]:
    indices = run.indices.sort_values("distance_ohm", kind="stable", ignore_index=True)
    if run.cost_without_rule is None or run.cost_without_optimisation is None:
        yield Key("Gain kept", "not known", "run without the runs that it is compared with")
        return
    kept = indices["gain_kept_percent"].to_numpy(dtype=float)
    n = int(np.isfinite(kept).sum())
    if not n:
        yield Key("Gain kept", "nobody has a gain", "no planning saves anything here, so there is nothing to keep")
        return
    names = ("cost", "cost_without_rule", "cost_without_optimisation")
    near, far = near_and_far(*(indices[name].to_numpy(dtype=float) for name in names))
    third = counted(-(-n // 3), "prosumer")
    yield Key("Gain kept, nearest third", f"{fixed(near, 1)} %", f"{third} of {n:,} with a gain, taken together")
    gap = f"{measured(abs(near - far))} % points {'less' if near >= far else 'more'} than the nearest"
    yield Key("Gain kept, farthest third", f"{fixed(far, 1)} %", gap, warns=near - far > 10)
    worst = worst_off(indices)
    if worst is not None:
        keeps, lcg = float(kept[worst]), float(indices["lcg_percent"].to_numpy(dtype=float)[worst])
        note = f"keeps {fixed(keeps, 1)} % of its gain; LCG {fixed(lcg, 1)} %"
        yield Key("Worst off", str(indices["prosumer"].iloc[worst]), note, warns=keeps < 50)


def _energy(run: Run) -> Iterator[Key]:
    tce, names = run.indices["tce_kwh"].to_numpy(dtype=float), run.indices["prosumer"].astype(str).tolist()
    total = float(tce.sum())
    if not len(tce):
        return
    most = int(np.argmax(tce))
    note = f"most at {names[most]}: {measured(tce[most], 'kWh')}" if total > 0 else "nothing was spilled"
    yield Key("Curtailed PV energy", measured(total, "kWh"), note)


def _voltage(run: Run) -> Iterator[Key]:
    indices, band = run.indices, run.scenario.voltage
    if indices.empty:
        return
    names = indices["prosumer"].astype(str).tolist()
    low, high = (indices[name].to_numpy(dtype=float) for name in ("vm_min_pu", "vm_max_pu"))
    least, largest = int(np.argmin(low)), int(np.argmax(high))
    for name, value, who, limit, beyond in (
        ("Lowest voltage", low[least], least, band.vm_min_pu, low[least] < band.vm_min_pu),
        ("Highest voltage", high[largest], largest, band.vm_max_pu, high[largest] > band.vm_max_pu),
    ):
        yield Key(name, f"{fixed(value, 4)} p.u.", f"at {names[who]}; limit {limit:g}", warns=bool(beyond))
    count = (indices["n_above_max"] + indices["n_below_min"]).to_numpy(dtype=float)
    longest = int(np.argmax(count))
    if count[longest] > 0:
        note = f"longest at {names[longest]}; {int((count > 0).sum()):,} of {counted(len(count), 'prosumer')} ever"
        time = minutes(float(count[longest]) * run.scenario.control_step_min)
        yield Key("Beyond the limits", time, note, warns=True)
    else:
        yield Key(
            "Beyond the limits",
            "never",
            f"of {counted(len(count), 'prosumer')} at {band.vm_min_pu:g} to {band.vm_max_pu:g} p.u.",
        )
    turned = indices["n_reversals"].to_numpy(dtype=float)
    most = int(np.argmax(turned))
    if turned[most] > 0:
        part = share(turned[most], run.control_steps)
        note = f"of the control steps at {names[most]}: voltages turned back"
        yield Key("Hunting", part, note, warns=turned[most] > 0.1 * run.control_steps)
    else:
        yield Key("Hunting", "none", "no voltage turned back from step to step")


def _status(run: Run) -> Iterator[Key]:
    odd, total = not_ok(run)
    counts: dict[str, int] = {}
    for word, count in run.step_status.items():
        for name in word.split("|") if word != "ok" else ():
            counts[name] = counts.get(name, 0) + count
    words = [f"{STATUS_WORDS.get(name, name)} {count:,}" for name, count in counts.items()]
    note = f"of {total:,}, steps of all prosumers" + (f": {', '.join(words)}" if words else "")
    yield Key("Control steps not ok", f"{odd:,}", note)
    fallback = counts.get("lp-fallback", 0)
    planned = "of prosumers' steps followed a plan by the general solver" if fallback else "no plan needed it"
    yield Key("LP fallback", share(fallback, total) if fallback else "none", planned)
