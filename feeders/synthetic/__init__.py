"""LV grids along the streets, for those who know streets, houses and stations, but no cables."""

from feeders.synthetic.design import Design
from feeders.synthetic.grid import SyntheticGrid, synthetic_grid
from feeders.synthetic.layout import Layout, lay_out
from feeders.synthetic.peak import peak_state
from feeders.synthetic.read import read_map
from feeders.synthetic.street_map import Places, StreetMap, Streets

__all__ = [
    "Design",
    "Layout",
    "Places",
    "StreetMap",
    "Streets",
    "SyntheticGrid",
    "lay_out",
    "peak_state",
    "read_map",
    "synthetic_grid",
]
