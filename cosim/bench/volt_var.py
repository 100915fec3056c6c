"""A day of volt-var inverters, minute by minute, against OpenDSS's InvControl on the same feeder."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from cosim.bench.curves import registered_curves
from cosim.bench.opendss import Control, Day, OpenDss, PeerError, opendss_module
from cosim.bench.row import Effort, Report, Row, Timing
from cosim.bench.stopwatch import lived, seconds_of
from cosim.data import PROFILES, load_extract
from cosim.model import CoSimulation
from cosim.prosumer_spec import ProsumerSpec
from cosim.scenario import FeederSpec, Scenario
from feeders import load_feeder

__all__ = ["CONTROLS", "peer_of", "volt_var_day", "volt_var_scenario"]

_FEEDER, _N = "kerber-dorfnetz", 50
_PV_KWP, _INVERTER_KVA = 25.0, 27.5  # farms: enough to carry the end of the feeder past 1.06 p.u. at noon
_LOAD_MWH = 4.0
_HOMES = [profile.name for profile in PROFILES if profile.kind == "home"]
_SUNS = [profile.name for profile in PROFILES if profile.kind == "pv"]

CONTROLS = {
    "bench-volt-var": Control(watt=False, step=0.6),
    "bench-volt-var-watt": Control(watt=True, step=0.6),
}
"""By rule: settings of the peer. Of the steps from 0.4 to 0.9 and tolerances tried, those that take least time among
those that leave less than 1e-4 p.u. to our voltages. OpenDSS's own defaults (automatic step, reactive power at rest
within 2.5 %) leave 4e-4 p.u. and take longer."""

_NAMES = {"bench-volt-var": "volt-var-day", "bench-volt-var-watt": "volt-var-day, with volt-watt"}


def volt_var_day(effort: Effort, report: Report) -> Iterator[Row]:
    """50 inverters on a feeder of 116 buses; rule and flow settled each minute, then once in closed loop.

    Voltages are those after both have settled. Setting up the models is timed for neither.
    """
    with registered_curves(), TemporaryDirectory() as folder:
        scenario = volt_var_scenario(Path(folder))
        for place, rule in enumerate(CONTROLS):

            def done(share: float, place: int = place) -> None:
                report((place + share) / len(CONTROLS))

            yield from _rule_day(scenario.changed({"rule": rule}), effort, done)


def _rule_day(scenario: Scenario, effort: Effort, report: Report) -> Iterator[Row]:
    missing = "" if opendss_module() is not None else "peer not installed: pip install cosim-prosumers[bench]"
    difference = None
    ours: dict[str, list[float]] = {"settled": [], "closed-loop": []}
    theirs: list[float] = []
    for repeat in range(effort.repeats):
        for mode, seconds in ours.items():
            model = CoSimulation(scenario, mode=mode)
            seconds.append(sum(lived(model, effort.day_minutes)))
            if mode == "closed-loop" or missing:
                continue
            peer = peer_of(model, CONTROLS[scenario.rule])
            try:
                theirs.append(seconds_of(peer.solve))
            except PeerError as error:
                missing = f"peer failed: {error}"
            else:
                difference = float(np.abs(peer.voltages() - model.record.column("vm_pu")).max())
        report((repeat + 1) / effort.repeats)
    timing = Timing(tuple(theirs)) if theirs else None
    peer_name = "OpenDSS InvControl, daily" if theirs else None
    name = _NAMES[scenario.rule]
    yield Row(name, Timing(tuple(ours["settled"])), peer_name, timing, difference, "p.u.", missing)
    note = missing or "the rule once a minute; the peer settles"
    yield Row(f"{name}, closed loop", Timing(tuple(ours["closed-loop"])), peer_name, timing, note=note)


def volt_var_scenario(folder: Path, first_minute: int = 0) -> Scenario:
    """The day from minute `first_minute` on, with its profiles in a file in `folder`.

    Quarter-hours of the embedded extract with seeded noise from minute to minute, so that no flow is like the last.
    """
    generator = np.random.default_rng(1)
    start = Scenario().start
    times = pd.date_range(start, periods=2 * 1440, freq="1min")
    quarter_hours = load_extract().reindex(times, method="ffill")
    noise = generator.standard_normal((_N + len(_SUNS), len(times)))
    columns = {
        f"load-{row}": quarter_hours[_HOMES[row % len(_HOMES)]] * _LOAD_MWH * np.maximum(0.1, 1 + 0.3 * noise[row])
        for row in range(_N)
    }
    columns |= {sun: quarter_hours[sun] * np.maximum(0.0, 1 + 0.1 * noise[_N + row]) for row, sun in enumerate(_SUNS)}
    file = folder / "minutes.csv"
    pd.DataFrame(columns).set_axis(times.strftime("%Y-%m-%dT%H:%MZ")).to_csv(file, index_label="time")
    buses = np.sort(generator.choice(load_feeder(_FEEDER).connection_buses, _N, replace=False))
    return Scenario(
        name="volt-var",
        start=start + timedelta(minutes=first_minute),
        feeder=FeederSpec(name=_FEEDER, background_scale=0.0),
        market_step_min=1,
        mode="settled",
        profiles_file=str(file),
        prosumers=tuple(
            ProsumerSpec(
                id=f"farm-{row}",
                bus=bus,
                load_profile=f"load-{row}",
                load_power_factor=0.95,
                flexible_share=0.0,
                pv_profile=_SUNS[row % len(_SUNS)],
                pv_kwp=_PV_KWP,
                battery_kwh=0.0,
                inverter_kva=_INVERTER_KVA,
                optimise=False,
            )
            for row, bus in enumerate(buses.tolist())
        ),
    )


def peer_of(model: CoSimulation, control: Control | None) -> OpenDss:
    """The minutes that a model has lived, ready to be solved by OpenDSS."""
    signals, n = model.rows.signals, model.clock.step
    day = Day(signals.p_load_kw[:n], signals.q_load_kvar[:n], signals.p_pv_kw[:n])
    return OpenDss(model.grid.feeder, model.rows.assets.bus, model.rows.assets.inverter_kva, day, control)
