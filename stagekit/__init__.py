"""What every Howsfit service shares: the contract of an engine, and the chassis that serves it.

Runs on Python 3.6 and newer: the oldest engine (CIHP_PGN) lives there.
"""

from stagekit.engine import Artifacts, Engine, Warn
from stagekit.stage import Stage

__all__ = ["Artifacts", "Engine", "Stage", "Warn"]
