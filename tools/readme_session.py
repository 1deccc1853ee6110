"""The session that README.md shows, and a real shell to type it into.

A fenced block of `console` holds commands, each after `$ `, and what they print; `console recorded` those
that the recording shows. scripts/record and tools/check-readme run them.
"""
import contextlib
import fcntl
import os
import pathlib
import pty
import re
import select
import signal
import socket
import struct
import sys
import termios
import time
from dataclasses import dataclass, field

TOP = pathlib.Path(__file__).resolve().parent.parent
README = TOP / "README.md"
PROMPT = "\x1b[1;32m$ \x1b[97m"  # what is typed is white, until PS0
SECONDS_MAX = 60  # for one command, on a busy machine
SOURCE_PORT = 8080  # as README.md has it


@dataclass
class Command:
    text: str
    recorded: bool
    output: list[str] = field(default_factory=list)


def blocks(text, language):
    """The fenced blocks of a language: the rest of the fence's line, and the lines in it."""
    for fence, block in re.findall(rf"^```{language}\b(.*)\n((?:(?!```).*\n)*)```$", text, re.M):
        yield fence.strip(), block.splitlines()


def commands(text):
    for fence, lines in blocks(text, "console"):
        for line in lines:
            if line.startswith("$ "):
                command = Command(line[2:], fence == "recorded")
                yield command
            else:
                command.output.append(line)


def lay_out(folder, program):
    """Makes of `folder` what a clone is to its user; the environment in which to use it."""
    (folder / "bin").mkdir()
    (folder / "bin/tidemark").symlink_to(program)
    for name in ("tools", "examples"):
        (folder / name).symlink_to(TOP / name)
    (folder / "node_modules").symlink_to(TOP / "build/turso/node_modules")  # for npx
    (folder / ".inputrc").write_text("set enable-bracketed-paste off\n", encoding="ascii")
    shown = re.sub("\x1b(.*?m)", r"\\[\\e\1\\]", PROMPT)
    return {"PATH": f"{folder}/bin:{os.environ['PATH']}", "HOME": str(folder), "TERM": "xterm-256color",
            "LANG": "C.UTF-8", "INPUTRC": f"{folder}/.inputrc", "PS1": shown, "PS0": r"\e[0m", "HISTFILE": "",
            "npm_config_offline": "true", "npm_config_update_notifier": "false"}


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def await_port(port):
    deadline = time.monotonic() + SECONDS_MAX
    while not listens(port):
        if time.monotonic() > deadline:
            sys.exit(f"nothing listens on port {port}")
        time.sleep(0.05)


class Shell:
    """An interactive bash on a terminal of its own. `heard` is told everything that it shows."""

    def __init__(self, folder, environment, columns, rows, heard=lambda shown: None):
        self.heard = heard
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            try:
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
                os.chdir(folder)
                os.execve("/bin/bash", ["bash", "--noprofile", "--norc", "-i"], environment)
            finally:
                os._exit(127)
        self.await_prompt()

    def close(self):
        """Ends all that was started in it."""
        for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                _, _, session, *_ = stat.read_text().rpartition(")")[2].split()[1:]
                if int(session) == self.pid and stat.parent.name != str(self.pid):
                    os.kill(int(stat.parent.name), signal.SIGKILL)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)

    def type(self, text):
        os.write(self.terminal, text.encode())

    def listen(self, seconds):
        """What it shows until then, or until it has shown something."""
        if not select.select([self.terminal], [], [], max(0, seconds))[0]:
            return b""
        shown = os.read(self.terminal, 65536)
        self.heard(shown)
        return shown

    def await_prompt(self):
        """What it shows until it asks for the next command."""
        shown, deadline = b"", time.monotonic() + SECONDS_MAX
        while PROMPT.encode() not in shown:
            shown += self.listen(deadline - time.monotonic())
            if time.monotonic() > deadline:
                sys.exit(f"no prompt after:\n{shown.decode(errors='replace')}")
        return shown.decode().rpartition(PROMPT)[0]
