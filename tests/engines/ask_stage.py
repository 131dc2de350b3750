"""Run inside a stage's container, which may have no network: ask the stage there, and print what it says as one line of JSON.

    python -m tests.engines.ask_stage INPUT FILE OUTPUT

`state` is ready or what keeps it from that; `info`; `status`, `warnings` and `body` (base64) of OUTPUT made of FILE.
"""

import base64
import json
import sys
import time
import urllib.error
import urllib.request

HERE = "http://127.0.0.1:8000"
PATIENCE_S = 240


def main(name, path, output):
    told = {"state": wait(), "info": json.loads(get("/info")[1])}
    if told["state"] == "ready":
        with open(path, "rb") as file:
            told.update(run(name, file.read(), output))
    print(json.dumps(told))


def wait():
    """Until it is ready or has given up."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        try:
            status, body = get("/readyz")
        except OSError:
            time.sleep(0.5)
            continue
        if status == 200:
            return "ready"
        problem = json.loads(body)
        if problem["state"] != "starting":
            return "%s: %s" % (problem["code"], problem["detail"])
        time.sleep(0.5)
    return "still starting"


def run(name, data, output):
    head = '--cut\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n\r\n' % (name, name)
    request = urllib.request.Request(
        "%s/run?artifact=%s" % (HERE, output),
        data=head.encode() + data + b"\r\n--cut--\r\n",
        headers={"Content-Type": "multipart/form-data; boundary=cut"},
    )
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            body, warnings = answer.read(), answer.headers.get("howsfit-warnings", "[]")
            return {"status": answer.status, "body": base64.b64encode(body).decode(), "warnings": json.loads(warnings)}
    except urllib.error.HTTPError as error:
        return {"status": error.code, "body": base64.b64encode(error.read()).decode(), "warnings": []}


def get(path):
    try:
        with urllib.request.urlopen(HERE + path, timeout=5) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
