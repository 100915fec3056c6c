"""Scenarios that are wrong in one thing, and the line that says so; `{here}` is the folder of the scenario."""

from __future__ import annotations

__all__ = ["BAND_FIELD", "DAY_UTC", "HOME", "RULES", "SCENARIOS", "START"]

HOME = '[[prosumers]]\nid = "a"\nbus = 2\n'
RULES = "one of none, prc, anrc, hybrid, ieee1547-b"
NAMES = "letters, digits, '_', '.' and '-', first a letter or digit, at most 64"
STAMP = "a date and time with offset, without quotes, e.g. 2016-06-07T22:00:00Z or 2016-06-08T00:00:00+02:00"
BAND = "0 < vm_min_pu < 1 - dead_pu <= 1 + dead_pu < vm_max_pu < 2"
BAND_FIELD = "voltage.vm_min_pu, dead_pu, vm_max_pu"
KINDS = "flat, time-of-use, real-time, synthetic"
DAY_UTC = "2016-06-07 22:00 to 2016-06-08 22:00 UTC"
START = "start = 2016-06-07T22:00:00Z\n"

# Text of the scenario; then each error after "s.toml: ", with field, value and what is allowed.
SCENARIOS: dict[str, tuple[str, str]] = {
    "unknown-key": ('rulle = "prc"', "rulle: 'prc' is not allowed; allowed: a known key; nearest: rule"),
    "unknown-key-in-table": (
        "[voltage]\nvm_max = 1.1",
        "voltage.vm_max: 1.1 is not allowed; allowed: a known key; nearest: vm_max_pu, vm_min_pu",
    ),
    "unknown-key-of-prosumer": (
        HOME + "pv_kw = 2",
        "prosumers.a.pv_kw: 2 is not allowed; allowed: a known key; nearest: pv_kwp, hp_kw, ev_kwh",
    ),
    "unknown-column": (
        'record = ["vmpu"]',
        "record: 'vmpu' is not allowed; allowed: names of vm_pu, p_load_kw, p_flexible_kw, p_pv_kw, p_curtailed_kw, "
        "p_battery_kw, energy_kwh, p_meter_kw, q_inverter_kvar, price_buy, price_sell, status, p_ev_kw, p_hp_kw, "
        "q_tes_kw, tes_kwh, ev_owed_kwh, heat_owed_kwh, ev_kwh, room_c; "
        "nearest: vm_pu, price_buy, p_curtailed_kw",
    ),
    "planner-and-negative-price": (
        START + 'planner = "dynamic-program"\n[tariff]\nkind = "flat"\nprice_buy = 0.2\nprice_sell = -0.05',
        "planner: 'dynamic-program' is not allowed; "
        "allowed: auto or highs: the tariff has negative prices, the first at 2016-06-07 22:00 UTC",
    ),
    "text-for-number": ('days = "1"', "days: '1' is not allowed; allowed: a whole number"),
    "fraction-for-whole": ("days = 1.5", "days: 1.5 is not allowed; allowed: a whole number"),
    "bool-for-number": (HOME + "pv_kwp = true", "prosumers.a.pv_kwp: True is not allowed; allowed: a number"),
    "number-for-text": ("rule = 3", "rule: 3 is not allowed; allowed: text"),
    "text-for-bool": (HOME + 'optimise = "yes"', "prosumers.a.optimise: 'yes' is not allowed; allowed: true or false"),
    "value-for-table": ('feeder = "four-bus"', "feeder: 'four-bus' is not allowed; allowed: a table"),
    "table-for-tables": (
        '[prosumers]\nid = "a"',
        "prosumers: {'id': 'a'} is not allowed; "
        "allowed: an array of tables, each headed by the name in double brackets",
    ),
    "nan": (HOME + "pv_kwp = nan", "prosumers.a.pv_kwp: nan is not allowed; allowed: a finite number"),
    "inf": ("[voltage]\nvm_max_pu = inf", "voltage.vm_max_pu: inf is not allowed; allowed: a finite number"),
    "missing": (
        '[[prosumers]]\nid = "a"',
        "prosumers.a.bus: nothing given; allowed: a value: this field has no default",
    ),
    "negative-capacity": (
        HOME + "battery_kwh = -1.0",
        "prosumers.a.battery_kwh: -1.0 is not allowed; allowed: a number >= 0",
    ),
    "charger-profile-without-charger": (
        HOME + 'ev_charger_kw = 11.0\nev_profile = "HLS_A_3"',
        "prosumers.a.ev_profile: 'HLS_A_3' is not allowed; allowed: a profile of the embedded extract; "
        "nearest: HLS_A_3.7, HLS_B_3.7, HLS_A_11.0",
    ),
    "heat-profile-of-a-car": (
        HOME + 'hp_kw = 2.0\nheat_profile = "HLS_A_3.7"',
        "prosumers.a.heat_profile: 'HLS_A_3.7' is not allowed; allowed: a profile of the embedded extract; "
        "nearest: Air_Parallel_1, Air_Parallel_2, Soil_Alternative_1",
    ),
    "heat-store-without-heat-pump": (
        HOME + "tes_kwh = 11.6",
        "prosumers.a.tes_kwh: 11.6 is not allowed; allowed: 0, or a heat pump to charge it: hp_kw is 0",
    ),
    "heat-store-over-full": (
        HOME + "hp_kw = 2.0\ntes_kwh = 11.6\ntes_start_kwh = 12.0",
        "prosumers.a.tes_start_kwh: 12.0 is not allowed; allowed: at most tes_kwh, 11.6",
    ),
    "car-without-charger": (
        HOME + "ev_kwh = 40.0",
        "prosumers.a.ev_kwh: 40.0 is not allowed; allowed: 0, or a charger: ev_charger_kw is 0",
    ),
    "car-that-cannot-be-full": (  # home for 2 h, at 3.7 kW and 95 %
        HOME + "ev_charger_kw = 3.7\nev_kwh = 40.0\nev_leaves_h = 8.0\nev_returns_h = 6.0",
        "prosumers.a.ev_soc_target: 0.9 is not allowed; allowed: a target within reach: 10 kWh are needed a day, "
        "7.03 possible between 06:00 and 08:00",
    ),
    "car-that-does-not-get-home": (
        HOME + "ev_charger_kw = 11.0\nev_kwh = 40.0\nev_trip_kwh = 38.0",
        "prosumers.a.ev_trip_kwh: 38.0 is not allowed; allowed: a day's driving within what is between least and "
        "target: 36 kWh, 38 needed",
    ),
    "hour-beyond-the-day": (
        HOME + "ev_leaves_h = 24.0",
        "prosumers.a.ev_leaves_h: 24.0 is not allowed; allowed: a number >= 0 and < 24 (local hour of the day at which "
        "a car with ev_kwh leaves)",
    ),
    "room-without-heat-pump": (
        HOME + "room_r_k_per_kw = 2.0",
        "prosumers.a.room_r_k_per_kw: 2.0 is not allowed; allowed: 0, or a heat pump: hp_kw is 0",
    ),
    "room-and-heat-store": (
        HOME + "hp_kw = 3.0\nroom_r_k_per_kw = 2.0\ntes_kwh = 11.6",
        "prosumers.a.tes_kwh: 11.6 is not allowed; allowed: 0 where the heat pump keeps a room: room_r_k_per_kw is "
        "not 0",
    ),
    "comfort-band-without-its-set-point": (
        HOME + "comfort_k = -1.0",
        "prosumers.a.comfort_k: -1.0 is not allowed; allowed: a number >= 0 (how far the temperature may be off, "
        "either way, at no discomfort)",
    ),
    "outdoor-profile-of-the-extract": (
        HOME + 'hp_kw = 3.0\nroom_r_k_per_kw = 2.0\noutdoor_profile = "H0-A"',
        "prosumers.a.outdoor_profile: 'H0-A' is not allowed; allowed: a column of profiles_file: the embedded extract "
        "has none",
    ),
    "cop-zero": (
        HOME + "hp_cop = 0.0",
        "prosumers.a.hp_cop: 0.0 is not allowed; allowed: a number > 0 (heat per electric energy of the heat pump)",
    ),
    "strategy": (
        HOME + 'strategy = "self"',
        "prosumers.a.strategy: 'self' is not allowed; allowed: 'arbitrage' or 'self-consumption'",
    ),
    "relief-measure": (
        '[relief]\nmeasures = ["pro-c"]',
        "relief.measures[0]: 'pro-c' is not allowed; allowed: 'cur-a', 'cur-b', 'pro-a' or 'pro-b'",
    ),
    "relief-measure-twice": (
        '[relief]\nmeasures = ["pro-a", "pro-a"]',
        "relief.measures: ['pro-a', 'pro-a'] is not allowed; allowed: each once: pro-a is there several times",
    ),
    "relief-without-measures": (
        "[relief]\nthreshold_kw = 5.0\nmeasures = []",
        "relief.measures: [] is not allowed; allowed: at least one of cur-a, cur-b, pro-a, pro-b",
    ),
    "relief-two-thresholds": (
        "[relief]\nthreshold_kw = 5.0\nthreshold_share = 0.5",
        "relief.threshold_share: 0.5 is not allowed; allowed: one of the two: threshold_kw is 5",
    ),
    "relief-without-transformer": (
        "[relief]",
        "relief.threshold_kw: nothing given; allowed: a load: the feeder has no transformer at its supply whose rating "
        "it could be a share of",
    ),
    "relief-error-of-perfect-forecast": (
        "[relief]\nthreshold_kw = 5.0\nforecast_error = 0.1",
        'relief.forecast_error: 0.1 is not allowed; allowed: a forecast "noisy" to go with it',
    ),
    "relief-heat-cap": (
        "[relief]\nthreshold_kw = 5.0\n[relief.cur_b]\nheat_cap = 1.5",
        "relief.cur_b.heat_cap: 1.5 is not allowed; "
        "allowed: a number >= 0 and <= 1 (share of what a heat pump can give)",
    ),
    "efficiency-zero": (
        HOME + "efficiency_charge = 0.0",
        "prosumers.a.efficiency_charge: 0.0 is not allowed; allowed: a number > 0 and <= 1",
    ),
    "efficiency-above-one": (
        HOME + "efficiency_discharge = 1.01",
        "prosumers.a.efficiency_discharge: 1.01 is not allowed; allowed: a number > 0 and <= 1",
    ),
    "charge-above-capacity": (
        HOME + "energy_start_kwh = 1.5",
        "prosumers.a.energy_start_kwh: 1.5 is not allowed; allowed: between battery_min_kwh, 0, and battery_kwh, 1",
    ),
    "charge-below-least": (
        HOME + "battery_min_kwh = 0.5\nenergy_start_kwh = 0.25",
        "prosumers.a.energy_start_kwh: 0.25 is not allowed; allowed: between battery_min_kwh, 0.5, and battery_kwh, 1",
    ),
    "least-above-capacity": (
        HOME + "battery_min_kwh = 1.5",
        "prosumers.a.battery_min_kwh: 1.5 is not allowed; allowed: at most battery_kwh, 1",
    ),
    "flexible-energy-does-not-fit": (
        HOME + "flexible_max = 0.9",
        "prosumers.a.flexible_max: 0.9 is not allowed; allowed: a number >= 1 "
        "(upper bound of flexible load, in multiples of its own; below 1 its energy would not fit)",
    ),
    "sell-above-buy": (
        START + '[tariff]\nkind = "flat"\nprice_buy = 0.3\nprice_sell = 0.4',
        "tariff.price_sell at 2016-06-07T22:00Z: 0.4 is not allowed; "
        "allowed: at most the buying price, 0.3 (more would be arbitrage at the meter)",
    ),
    "kind-of-tariff": ('[tariff]\nkind = "flt"', f"tariff.kind: 'flt' is not allowed; allowed: {KINDS}"),
    "no-kind-of-tariff": ("[tariff]\nprice_buy = 0.3", f"tariff.kind: nothing given; allowed: {KINDS}"),
    "preset": (
        '[tariff]\nkind = "time-of-use"\npreset = "nigth"',
        "tariff.preset: 'nigth' is not allowed; allowed: one of: day-night, evening-peak, ontario-2023, "
        "ontario-summer-2024, ontario-ultra-low-overnight-2023, ontario-winter-2023, working-day-peak "
        "(nearest: day-night)",
    ),
    "kind-of-forecast": (
        '[forecast]\nkind = "perfekt"',
        "forecast.kind: 'perfekt' is not allowed; allowed: 'perfect', 'persistence' or 'noisy'",
    ),
    "error-without-noise": (
        '[forecast]\nkind = "persistence"\npv_error = 0.1',
        'forecast.pv_error: 0.1 is not allowed; allowed: a forecast of kind "noisy" to go with it',
    ),
    "negative-error": (
        '[forecast]\nkind = "noisy"\npv_error = -0.1',
        "forecast.pv_error: -0.1 is not allowed; allowed: a number >= 0",
    ),
    "unknown-bus": (
        '[[prosumers]]\nid = "a"\nbus = 7',
        "prosumers.a.bus: 7 is not allowed; allowed: a bus index or name of this net; nearest: 4, 3, 2",
    ),
    "unknown-bus-name": (
        '[feeder]\nname = "cigre-lv"\n[[prosumers]]\nid = "a"\nbus = "Bus R77"',
        "prosumers.a.bus: 'Bus R77' is not allowed; "
        "allowed: a bus index or name of this net; nearest: Bus R7, Bus R17, Bus R9",
    ),
    "duplicate-id": (HOME + HOME, "prosumers.id: 'a' is not allowed; allowed: an id of its own for each prosumer"),
    "id-with-slash": (
        '[[prosumers]]\nid = "a/b"\nbus = 2',
        f"prosumers.a/b.id: 'a/b' is not allowed; allowed: {NAMES}",
    ),
    "name-with-slashes": ('name = "../../x"', f"name: '../../x' is not allowed; allowed: {NAMES}"),
    "unknown-rule": ('rule = "prk"', f"rule: 'prk' is not allowed; allowed: {RULES} (nearest: prc)"),
    "unknown-rule-of-prosumer": (
        HOME + 'rule = "hybird"',
        f"prosumers.a.rule: 'hybird' is not allowed; allowed: {RULES} (nearest: hybrid)",
    ),
    "unknown-feeder": (
        '[feeder]\nname = "fourbus"',
        "feeder.name: 'fourbus' is not allowed; "
        "allowed: a feeder that `cosim feeders` lists; nearest: four-bus, mv-oberrhein, kerber-dorfnetz",
    ),
    "unknown-engine": (
        '[feeder]\nname = "four-bus"\nengine = "pandapour"',
        "feeder.engine: 'pandapour' is not allowed; allowed: one of auto, current-injection, power-grid-model, "
        "pandapower (nearest: pandapower)",
    ),
    "feeder-name-and-file": (
        '[feeder]\nname = "four-bus"\nfile = "net.json"',
        "feeder: 'name four-bus and file net.json' is not allowed; allowed: one of the two",
    ),
    "neither-feeder-name-nor-file": (
        '[feeder]\nengine = "pandapower"',
        "feeder: nothing given; allowed: the name of a feeder, see `cosim feeders`, or a file",
    ),
    "no-such-feeder-file": (
        '[feeder]\nfile = "nte.json"',
        "feeder.file: '{here}/nte.json' is not allowed; allowed: an existing file, a pandapower net as JSON",
    ),
    "dead-bus": (
        '[feeder]\nfile = "net.json"\n[[prosumers]]\nid = "a"\nbus = "cut off"',
        "prosumers.a.bus: 'cut off' is not allowed; allowed: a bus with supply: this one is out of service or isolated",
    ),
    "limits-swapped": (
        "[voltage]\nvm_min_pu = 1.05\nvm_max_pu = 0.95",
        f"{BAND_FIELD}: (1.05, 0.02, 0.95) is not allowed; allowed: {BAND}",
    ),
    "dead-band-beyond-limit": (
        "[voltage]\ndead_pu = 0.06",
        f"{BAND_FIELD}: (0.95, 0.06, 1.05) is not allowed; allowed: {BAND}",
    ),
    "market-step": ("market_step_min = 7", "market_step_min: 7 is not allowed; allowed: a divisor of a day, 1440 min"),
    "market-step-and-profiles": (
        "market_step_min = 18\ncontrol_step_min = 1\nstart = 2016-06-08T00:00:00Z",
        "market_step_min: 18 is not allowed; allowed: a divisor or multiple of the profiles' 15 min",
    ),
    "control-step": (
        "control_step_min = 7",
        "control_step_min: 7 is not allowed; allowed: a divisor of market_step_min, 15",
    ),
    "start-between-steps": (
        "start = 2016-06-07T22:07:00Z",
        "start: '2016-06-07T22:07:00+00:00' is not allowed; "
        "allowed: a time at a whole multiple of market_step_min, 15, in the day",
    ),
    "start-without-offset": (
        "start = 2016-06-07T22:00:00",
        f"start: '2016-06-07T22:00:00' is not allowed; allowed: {STAMP}",
    ),
    "beyond-the-extract": (
        START + "days = 6",
        "start, days: '2016-06-07 22:00 to 2016-06-13 22:00 UTC' is not allowed; "
        "allowed: a run within one of the extract's weeks, from midnight in Germany on "
        "2016-05-02, 2016-06-06, 2016-10-17, 2016-12-05; a profiles_file; or profiles = repeated",
    ),
    "unknown-profile": (
        HOME + 'load_profile = "H0-X"',
        "prosumers.a.load_profile: 'H0-X' is not allowed; "
        "allowed: a profile of the embedded extract; nearest: H0-L, H0-H, H0-G",
    ),
    "pv-profile-as-load": (
        HOME + 'pv_profile = "H0-A"',
        "prosumers.a.pv_profile: 'H0-A' is not allowed; "
        "allowed: a profile of the embedded extract; nearest: PV1, PV2, PV3",
    ),
    "list-and-population": (
        "population = { n = 2 }\n" + HOME,
        "prosumers, population: '2 of them' is not allowed; allowed: one of these, not several",
    ),
    "population-of-none": (
        "[population]\nn = 0",
        "population.n: 0 is not allowed; allowed: a number >= 1 and <= 99999 (how many prosumers)",
    ),
    "population-without-number": (
        "[population]\npv_share = 0.5",
        "population.n: nothing given; allowed: a value: this field has no default",
    ),
    "share-above-one": (
        "[population]\nn = 2\npv_share = 50",
        "population.pv_share: 50 is not allowed; allowed: a number >= 0 and <= 1 (share of homes with PV)",
    ),
    "unknown-key-of-population": (
        "[population]\nn = 2\npv_kw = 5",
        "population.pv_kw: 5 is not allowed; allowed: a known key; nearest: pv_kwp, hp_kw, ev_kwh",
    ),
    "unknown-placement": (
        '[population]\nn = 2\nplacement = "end"',
        "population.placement: 'end' is not allowed; "
        "allowed: 'given', 'random', 'proportional-to-load' or 'end-of-feeder'",
    ),
    "given-places-without-buses": (
        '[population]\nn = 2\nplacement = "given"',
        "population.buses: nothing given; allowed: the buses to deal the homes to, for placement given",
    ),
    "buses-for-random-places": (
        "[population]\nn = 2\nbuses = [2, 3]",
        "population.buses: [2, 3] is not allowed; allowed: none for placement random, only for given",
    ),
    "one-bus-instead-of-several": (
        '[population]\nn = 2\nplacement = "given"\nbuses = 2',
        "population.buses: 2 is not allowed; allowed: an array of values, e.g. [2, 3]",
    ),
    "bus-between-two": (
        '[population]\nn = 2\nplacement = "given"\nbuses = [2.5]',
        "population.buses[0]: 2.5 is not allowed; allowed: a whole number or text",
    ),
    "kind-of-distribution": (
        '[population]\nn = 2\npv_kwp = { kind = "gauss", mean = 5 }',
        "population.pv_kwp.kind: 'gauss' is not allowed; allowed: uniform, normal, lognormal, choice",
    ),
    "kind-of-inverter": (
        '[population]\nn = 2\ninverter_kva = { kind = "size", factor = 1 }',
        "population.inverter_kva.kind: 'size' is not allowed; allowed: sized, uniform, normal, lognormal, choice",
    ),
    "unknown-profile-of-population": (
        '[population]\nn = 2\nload_profiles = ["H0-A", "H0-X"]',
        "population.load_profiles: 'H0-X' is not allowed; "
        "allowed: a profile of the embedded extract; nearest: H0-L, H0-H, H0-G",
    ),
    "no-such-profiles": (
        'profiles_file = "no.csv"',
        "profiles_file: '{here}/no.csv' is not allowed; allowed: an existing CSV file",
    ),
}
