"""Hold an implementation to a golden run of the published one, both filled with the same deterministic weights.

    python -m tests.parity MODEL FILE.npz [options]

MODEL is a module of this package; it runs in the Python of the engine it tests. Exits with 1 where they disagree.
"""

import importlib
import sys
from pathlib import Path


def main() -> None:
    models = sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))
    if len(sys.argv) < 2 or sys.argv[1] not in models:
        sys.exit("%s\nModels: %s" % (__doc__, ", ".join(models)))
    importlib.import_module("tests.parity." + sys.argv[1]).main(sys.argv[2:])


if __name__ == "__main__":
    main()
