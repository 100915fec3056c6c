"""``cosim region``: a grid along the streets, for those who have no data of cables."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import pandapower as pp
import typer

from cosim.commands.show import show_table
from cosim.new_file import write_new
from feeders.errors import InputError
from feeders.synthetic import Design, peak_state, read_map, synthetic_grid
from feeders.synthetic.layout import Tree

__all__ = ["region_command"]

_DEFAULT = Design()


def region_command(
    streets: Annotated[Path, typer.Option(metavar="FILE", help="Streets as lines: GeoJSON, or CSV, a point a row.")],
    houses: Annotated[Path, typer.Option(metavar="FILE", help="Houses as points or outlines: GeoJSON or CSV.")],
    stations: Annotated[Path, typer.Option(metavar="FILE", help="MV/LV stations as points, rating_kva if known.")],
    out: Annotated[
        Path, typer.Option("--out", metavar="NET.json", help="The net to write; a new file, or one with this content.")
    ],
    tree: Annotated[
        str,
        typer.Option(metavar="minimum|shortest", help="Spanning tree of least length, or of the shortest ways."),
    ] = "minimum",
    peak_kw: Annotated[float, typer.Option(help="Peak of one home that cables are chosen for.")] = _DEFAULT.peak_kw,
    mv_kv: Annotated[float, typer.Option(help="Voltage of the MV level: 20 or 10.")] = _DEFAULT.mv_kv,
    vm_pu: Annotated[float, typer.Option(help="Voltage of the HV grid.")] = _DEFAULT.vm_pu,
    max_off_m: Annotated[float, typer.Option(help="How far a house may be from the nearest street.")] = 100.0,
) -> None:
    """Lay out a grid along the streets from houses and stations, for feeder.file of a scenario.

    Each house goes to the station nearest along the streets; cables follow a spanning tree of each station's streets,
    pruned where no house is; cables and transformers are standard types chosen by the load. It is one grid that might
    be, not the one in the ground.
    """
    ways = {"minimum", "shortest"}
    if tree not in ways:
        raise InputError("--tree", "tree", tree, f"one of {', '.join(sorted(ways))}")
    way: Tree = "minimum" if tree == "minimum" else "shortest"
    street_map = read_map(streets, houses, stations)
    design = Design(peak_kw=peak_kw, mv_kv=mv_kv, vm_pu=vm_pu)
    grid = synthetic_grid(street_map, design, tree=way, max_off_m=max_off_m)
    state = peak_state(grid, design)
    write_new(out, (pp.to_json(grid.net) + "\n").encode())
    table = grid.stations.drop(columns=["trafo", "hv_bus", "lv_bus"]).join(state).reset_index()
    x, y = street_map.middle
    around = f"around {y:.4f} N {x:.4f} E" if street_map.is_degrees else f"around x {x:,.0f} m, y {y:,.0f} m"
    show_table(table, f"{out.name}: {len(grid.homes)} homes {around}")
    typer.echo(
        f"{len(grid.net.bus)} buses, {table['street_km'].sum():.2f} km of cables along streets and "
        f"{table['service_km'].sum():.2f} km into houses; voltages and loadings with all homes at the design load"
    )
    typer.echo(f"written to {out}; to simulate it: --set {shlex.quote(f'feeder.file={out}')}")
