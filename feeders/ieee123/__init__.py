"""The IEEE 123 node test feeder: its published tables, a balanced equivalent of it, the unbalanced one for OpenDSS."""

from feeders.ieee123.deck import opendss_commands
from feeders.ieee123.net import ieee123_feeder, ieee123_net

__all__ = ["ieee123_feeder", "ieee123_net", "opendss_commands"]
