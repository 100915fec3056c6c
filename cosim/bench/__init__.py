"""What ``cosim bench`` measures: each benchmark a function that yields rows, its peers measured in the same run."""

from cosim.bench.collective import collective_weeks
from cosim.bench.day import four_bus_day, four_bus_parts
from cosim.bench.dispatch import dispatches
from cosim.bench.drift import week_drift
from cosim.bench.ensemble import monte_carlo
from cosim.bench.page import page_frames
from cosim.bench.planner import plans
from cosim.bench.population import population_days
from cosim.bench.rehearsal import rehearsals
from cosim.bench.row import FULL, QUICK, Benchmark, Effort, Report, Row, Timing
from cosim.bench.storage import storage_steps
from cosim.bench.sweep import sweep_rates
from cosim.bench.volt_var import volt_var_day

__all__ = ["BENCHMARKS", "FULL", "QUICK", "Benchmark", "Effort", "Report", "Row", "Timing"]

BENCHMARKS: dict[str, Benchmark] = {
    "four-bus-prosumer-day": four_bus_day,
    "plan": plans,
    "volt-var-day": volt_var_day,
    "population-day": population_days,
    "monte-carlo": monte_carlo,
    "sweep": sweep_rates,
    "page": page_frames,
    "collective-week": collective_weeks,
    "rehearsal": rehearsals,
    "storage-step": storage_steps,
    "dispatch": dispatches,
    "week-drift": week_drift,
    "four-bus-parts": four_bus_parts,
}
"""By name, in the order of the table. Names of rows begin with that of their benchmark."""
