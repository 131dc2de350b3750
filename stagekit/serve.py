"""Serve a stage or the gateway: `python -m stagekit.serve services.pose.app:app`."""

import argparse

import uvicorn

from stagekit import logs
from stagekit.settings import read_settings


def main() -> None:
    """Configure the log, then hand over to Uvicorn."""
    parser = argparse.ArgumentParser(prog="python -m stagekit.serve", description=__doc__)
    parser.add_argument("app", help="module:attribute of the ASGI app")
    parser.add_argument("--host", default="0.0.0.0", help="address to listen on (default: all)")
    parser.add_argument("--port", type=int, help="default: HOWSFIT_LISTEN_PORT, else 8000")
    arguments = parser.parse_args()
    settings = read_settings()
    logs.set_up(settings.log_level, settings.log_format)
    port = arguments.port or settings.listen_port
    # The gateway looks at the headers of proxies itself, and stages have none before them.
    uvicorn.run(arguments.app, host=arguments.host, port=port, access_log=False, proxy_headers=False, log_config=None)


if __name__ == "__main__":
    main()
