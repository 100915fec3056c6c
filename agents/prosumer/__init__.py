"""The prosumer: arbitrage plan, inverter rule, least-curtailment correction, battery; as columns and as an agent."""

from agents.errors import PlanError
from agents.prosumer.arbitrage import ArbitragePlanner, Horizon, Plan, arbitrage_cost
from agents.prosumer.assets import Assets
from agents.prosumer.battery import Battery
from agents.prosumer.charging import Charging, charge, charge_step
from agents.prosumer.commitment import Commitment
from agents.prosumer.correction import least_curtailment, reactive_power
from agents.prosumer.demand import Demand
from agents.prosumer.demand_terms import DemandTerms
from agents.prosumer.devices import Asking, DeviceSignals
from agents.prosumer.dynamic_program import DemandChargeError, DynamicProgramPlanner, NegativePriceError
from agents.prosumer.forecast import Forecast, NoisyForecast, PerfectForecast, PersistenceForecast
from agents.prosumer.heat_shift import HeatOwed, HeatShift, serve_heat, shift_heat
from agents.prosumer.homes import Homes
from agents.prosumer.planning import Planning
from agents.prosumer.population import RECORDABLE, RECORDED, STATE, Population, Status
from agents.prosumer.prosumer import Prosumer, Window
from agents.prosumer.rules import RULES, Ranges, Rule, VoltageBand, register_rule, rule_by_name, voltage_zone
from agents.prosumer.signals import Signals
from agents.prosumer.standards import ieee1547_b

__all__ = [
    "RECORDABLE",
    "RECORDED",
    "RULES",
    "STATE",
    "ArbitragePlanner",
    "Asking",
    "Assets",
    "Battery",
    "Charging",
    "Commitment",
    "Demand",
    "DemandChargeError",
    "DemandTerms",
    "DeviceSignals",
    "DynamicProgramPlanner",
    "Forecast",
    "HeatOwed",
    "HeatShift",
    "Homes",
    "Horizon",
    "NegativePriceError",
    "NoisyForecast",
    "PerfectForecast",
    "PersistenceForecast",
    "Plan",
    "PlanError",
    "Planning",
    "Population",
    "Prosumer",
    "Ranges",
    "Rule",
    "Signals",
    "Status",
    "VoltageBand",
    "Window",
    "arbitrage_cost",
    "charge",
    "charge_step",
    "ieee1547_b",
    "least_curtailment",
    "reactive_power",
    "register_rule",
    "rule_by_name",
    "serve_heat",
    "shift_heat",
    "voltage_zone",
]
