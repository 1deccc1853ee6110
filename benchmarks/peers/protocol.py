"""The lines that a peer and the driver exchange: a command and its words, an answer in JSON."""
import json
import select
import subprocess
import sys
import time


ANSWER_SECONDS_MAX = 300  # the longest answer, a sync of 10,000 episodes by do-memory, takes seconds


def timed(work):
    start = time.monotonic()
    work()
    return time.monotonic() - start


def serve(peer):
    """Answers each line of standard input by the method that it names."""
    for line in sys.stdin:
        name, *words = line.split()
        try:
            answer = getattr(peer, name)(*words)
        except Exception as error:  # the driver judges it
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer or {}), flush=True)


class PeerError(Exception):
    """What a peer answered instead of doing it."""


class Peer:
    """A peer's program, started once and asked many times."""

    def __init__(self, name, command):
        self.name = name
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)

    def start(self, *words):
        """Asks without waiting for the answer."""
        print(*words, file=self.process.stdin, flush=True)

    def ask(self, *words):
        self.start(*words)
        if not select.select([self.process.stdout], [], [], ANSWER_SECONDS_MAX)[0]:
            self.process.kill()
            raise PeerError(f"{self.name} gave no answer in {ANSWER_SECONDS_MAX} s: {' '.join(map(str, words))}")
        line = self.process.stdout.readline()
        if not line:
            raise PeerError(f"{self.name} ended at: {' '.join(map(str, words))}")
        answer = json.loads(line)
        if "error" in answer:
            raise PeerError(f"{self.name}, {words[0]}: {answer['error']}")
        return answer

    def kill_after(self, seconds):
        """SIGKILL, as a crash would be."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.end()

    def end(self):
        self.process.stdin.close()
        try:
            self.process.wait(ANSWER_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
