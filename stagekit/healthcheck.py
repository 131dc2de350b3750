"""The container's health check: exit 0 when /readyz answers 200. In the image, so that no curl is needed."""

import sys
import urllib.error
import urllib.request

from stagekit.settings import read_settings


def main() -> int:
    """Ask the service in this container."""
    url = "http://127.0.0.1:%d/readyz" % read_settings().listen_port
    try:
        with urllib.request.urlopen(url, timeout=4):
            return 0
    except urllib.error.HTTPError as error:
        print(error.read().decode("utf-8", "replace"))
    except OSError as error:
        print("%s does not answer: %s" % (url, error))
    return 1


if __name__ == "__main__":
    sys.exit(main())
