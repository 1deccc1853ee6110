"""What the steps of the package's test have in common."""
import sys
import time

WAIT_SECONDS = 60


def step(text):
    print(f"-- {text}", flush=True)


def require(holds, *what):
    if not holds:
        sys.exit("package-test: " + " ".join(str(part) for part in what))


def until(what, look):
    """The first true answer of `look`, which is asked until then."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        found = look()
        if found:
            return found
        require(time.monotonic() < deadline, "waited in vain until", what)
        time.sleep(0.2)
