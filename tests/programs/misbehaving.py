"""A program that answers well until it is asked for a sample, and then does what its first argument says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

WHAT = {"family": "dense", "estimator": "shared", "inputs": 2, "outputs": 3, "name": "misbehaving"}
MODE = sys.argv[1]


def say(text: str) -> None:
    """Exactly this, at once."""
    sys.stdout.write(text)
    sys.stdout.flush()


def identify() -> None:
    """Write who this is, and a child of it that sleeps, into the file of the second argument."""
    if len(sys.argv) > 2:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        with open(sys.argv[2], "w", encoding="utf-8") as file:
            file.write(f"{os.getpid()} {child.pid}")


def misbehave(number: int) -> None:
    """The answer to a sample."""
    right: dict[str, Any] = {"id": number, "y": {"shape": [1, 3], "data": [[0.0, 1.0, 2.0]]}}
    if MODE == "dies":
        sys.stderr.write("loading the weights\nout of luck\n")
        sys.exit(3)
    if MODE == "crashes":
        os.kill(os.getpid(), signal.SIGSEGV)
    if MODE == "stops half way":
        identify()
        say('{"id": 4, "y"')
        sys.exit(0)
    if MODE in ("sleeps", "ignores signals"):
        if MODE == "ignores signals":
            for name in ("SIGTERM", "SIGINT", "SIGHUP"):
                signal.signal(getattr(signal, name), signal.SIG_IGN)
        identify()
        time.sleep(600)
    if MODE == "closes its output":
        os.close(1)
        time.sleep(600)
    if MODE == "fills stderr":
        sys.stderr.write("x" * 2**20 + " the end")
        say(json.dumps(right) + "\n")
    if MODE == "writes lines without end":
        identify()
        while True:
            say("loading...\n" * 2**12)
    if MODE == "writes without end":
        identify()
        while True:
            say("x" * 2**16)
    if MODE == "says":
        say(sys.argv[2].replace("ID", str(number)) + "\n")
    if MODE == "talks twice":
        say(json.dumps(right) + "\n" + json.dumps(right) + "\n")
    if MODE == "bytes":
        sys.stdout.buffer.write(b"\xff\xfe\n")
        sys.stdout.flush()


def main() -> None:
    """Answer questions until there are none."""
    if MODE == "never begins":
        time.sleep(600)
    for line in sys.stdin:
        asked = json.loads(line)
        if asked["call"] == "describe":
            say(json.dumps({"id": asked["id"], "description": WHAT, "abilities": ["seed"]}) + "\n")
        elif asked["call"] == "sample":
            misbehave(asked["id"])
        else:
            say(json.dumps({"id": asked["id"]}) + "\n")


if __name__ == "__main__":
    main()
