"""`python -m howsfit.weights`: the subcommands alone, without the rest of Howsfit. The container `weights` runs this."""

import os
import sys

from howsfit.weights.commands import app, err
from howsfit.weights.errors import WeightsError
from stagekit.errors import StageError


def main() -> None:
    """Entry point: what a user can mend is told in a sentence."""
    try:
        app(prog_name="weights")
    except PermissionError as error:
        _die(
            f'{error}. Where HOWSFIT_WEIGHTS is a folder of yours: docker compose run --rm --user "$(id -u):$(id -g)" '
            f"weights ... (now it is user {os.getuid()})"
        )
    except (WeightsError, StageError, ValueError, OSError) as error:
        _die(str(error))


def _die(message: str) -> None:
    err.print(f"[red]weights:[/red] {message}", highlight=False)
    sys.exit(1)


if __name__ == "__main__":
    main()
