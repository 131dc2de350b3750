"""The container's health check: exit 0 when /readyz, or the path given, answers 200. So the image needs no curl."""

import sys
import urllib.error
import urllib.request

from stagekit.settings import read_settings


def main() -> int:
    """Ask the service in this container."""
    path = sys.argv[1] if len(sys.argv) > 1 else "/readyz"
    url = "http://127.0.0.1:%d%s" % (read_settings().listen_port, path)
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
