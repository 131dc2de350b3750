"""The container's health check: exit 0 when the S3 server answers and the bucket is there. In the image, so no curl."""

import os
import sys
import urllib.request

# The bucket as the filer sees it: S3 would ask for a signature.
ASKED = ("http://127.0.0.1:8333/healthz", f"http://127.0.0.1:8888/buckets/{os.environ['S3_BUCKET']}/")


def main() -> int:
    """Ask the server in this container."""
    for url in ASKED:
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except OSError as error:
            print(f"{url}: {error}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
