#!/usr/bin/python3
"""new_user.py ROOT DEB WHEEL TURSODB: what somebody does who installs the package on a clean Debian 12.

ROOT is such a system, with /proc mounted and this machine's network; scripts/package-test makes it.
"""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

from page import Page
from recall import nearest
from steps import WAIT_SECONDS, require, step, until

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from ports import free_port  # noqa: E402

DEMO_DATA = HERE.parent.parent / "tools/demo_data.py"
CONFIG = "/etc/tidemark/tidemark.toml"
STATE = "/var/lib/tidemark"
AGENT = "/srv/agent"  # who has no rights, and its folder
UNIT = "/usr/lib/systemd/system/tidemark.service"


class Root:
    def __init__(self, path):
        self.path = path

    def file(self, inside):
        return self.path / inside.lstrip("/")

    def command(self, words, user, folder):
        return ["chroot", f"--userspec={user}:{user}", str(self.path), "env", "-i", f"--chdir={folder}",
                "PATH=/usr/sbin:/usr/bin:/sbin:/bin", f"HOME={folder}", "LANG=C.UTF-8",
                "DEBIAN_FRONTEND=noninteractive", *words]

    def run(self, *words, user="root", folder="/root", exit_code=0):
        done = subprocess.run(self.command(words, user, folder), text=True, capture_output=True,
                              check=False, timeout=600)
        require(done.returncode == exit_code, " ".join(words), "gave exit", done.returncode, "not",
                f"{exit_code}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def named_tidemark(self):
        """Every path with that name, but for what the user made, and what man keeps."""
        words = ["find", "/", "-xdev"]
        for elsewhere in ("/proc", "/srv", "/tmp", "/var/cache/man"):
            words += ["-path", elsewhere, "-prune", "-o"]
        return sorted(self.run(*words, "-name", "*tidemark*", "-print").split())


def install(root, deb):
    step("apt-get install, on a system that has nothing of it")
    shutil.copy(deb, root.file("/tmp/tidemark.deb"))
    before = int(root.run("sh", "-c", "dpkg-query -f '.' -W | wc -c"))
    root.run("apt-get", "install", "-y", "-qq", "/tmp/tidemark.deb")
    print(f"{int(root.run('sh', '-c', 'dpkg-query -f . -W | wc -c')) - before - 1} packages came with it")
    print(root.run("tidemark", "--version").strip())
    require(re.search(r"^tidemark:", root.file("/etc/passwd").read_text(), re.M), "no user tidemark")
    wanted = root.file("/etc/systemd/system/multi-user.target.wants/tidemark.service")
    require(not wanted.is_symlink(), "the package enabled its service")
    libraries = root.run("ldconfig", "-p")
    for name in ("libtidemark.so.0", "libtidemark-reader.so.0"):
        require(name in libraries, "ldconfig does not know", name)


def by_hand(root, source):
    step("a user of that system: init, sync, get, list, status")
    root.run("useradd", "--create-home", "--home-dir", AGENT, "agent")
    shutil.copy(source, root.file(f"{AGENT}/memories.db"))
    root.run("chown", "agent:agent", f"{AGENT}/memories.db")

    def tidemark(*words, exit_code=0):
        return root.run("tidemark", *words, user="agent", folder=AGENT, exit_code=exit_code)

    tidemark("init", "--source", "file:memories.db", "--cache", "memories.redb")
    tidemark("sync")
    newest = json.loads(tidemark("list", "episodes", "--latest", "1"))
    key = newest["key"]
    require(json.loads(tidemark("get", "episodes", key)) == newest["row"], "get and list differ")
    tidemark("get", "episodes", "no-such-key", exit_code=8)
    with sqlite3.connect(root.file(f"{AGENT}/memories.db")) as db:
        db.execute("UPDATE episodes SET context = 'edited' WHERE episode_id = ?", (key,))
    db.close()
    report = json.loads(tidemark("--json", "sync"))["result"]["collections"]["episodes"]
    require(report["upserted"] == 1, "one edit, but", report)
    require(json.loads(tidemark("get", "episodes", key))["context"] == "edited", "not the edited row")
    print(tidemark("status").strip())
    os.rename(root.file(f"{AGENT}/memories.db"), root.file(f"{AGENT}/away.db"))
    tidemark("sync", exit_code=2)  # a file that is not there is a wrong path
    tidemark("get", "episodes", key)
    os.rename(root.file(f"{AGENT}/away.db"), root.file(f"{AGENT}/memories.db"))
    tidemark("sync")


class Server:
    """The real Turso server; it keeps the file to itself while it runs."""

    def __init__(self, tursodb, database):
        self.words = [tursodb, database, "--sync-server"]
        self.port = free_port()
        self.process = None

    def start(self):
        self.process = subprocess.Popen([*self.words, f"127.0.0.1:{self.port}"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until("the server answers", self.answers)

    def answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


def ready(port, question=""):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz{question}", timeout=5) as reply:
            return reply.status, reply.read().decode().strip()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode().strip()
    except OSError as error:
        return 0, str(error)


def edit_config(root, source_port, port):
    """As an editor would: the lines are there, behind a `#`."""
    config = root.file(CONFIG)
    text = config.read_text()
    for name, value in (("url", f"http://127.0.0.1:{source_port}"), ("listen", f"127.0.0.1:{port}"),
                        ("interval", "1s"), ("max_staleness", "5s")):
        text, changed = re.subn(rf"^# {name} = .*$", f'{name} = "{value}"', text, flags=re.M)
        require(changed == 1, CONFIG, "has no line for", name)
    config.write_text(text.replace('interval = "1s"', 'interval = "1s"\nheartbeat = "1s"'))


def exec_start(root):
    """The unit's command line, and the folder and user that systemd would give it."""
    unit = dict(re.findall(r"^(\w+)=(.*)$", root.file(UNIT).read_text(), re.M))
    for name in ("ExecStart", "ExecReload"):  # a small system has not even /bin/kill
        root.run("test", "-x", unit[name].split()[0])
    root.run("install", "-d", "-o", unit["User"], "-g", unit["User"], "-m", unit["StateDirectoryMode"],
             "/var/lib/" + unit["StateDirectory"])
    return unit["ExecStart"].split(), unit["User"], unit["WorkingDirectory"]


def service(root, tursodb, work):
    step("edit tidemark.toml, start the unit's command line")
    database = work / "memories.db"
    subprocess.run([DEMO_DATA, "make", database, "--episodes", "300"], check=True, stdout=subprocess.DEVNULL)
    server, port = Server(tursodb, database), free_port()
    words, user, folder = exec_start(root)
    root.run(*words, user=user, folder=folder, exit_code=2)  # nothing is edited yet
    edit_config(root, server.port, port)
    server.start()
    log = open(work / "daemon.log", "wb")
    daemon = subprocess.Popen(root.command(words, user, folder), stdout=log, stderr=log)
    try:
        until("the cache is ready", lambda: ready(port, "?max_age=5s")[0] == 200)
        step("open the page")
        page = Page(port, root.file(f"{STATE}/cache.redb.token").read_text().strip())
        page.open()
        watch_it_fail_and_recover(root, database, server, port, page)
        daemon.send_signal(signal.SIGTERM)
        require(daemon.wait(WAIT_SECONDS) == 0, "the daemon did not end well")
    except BaseException:
        print((work / "daemon.log").read_text(), file=sys.stderr)
        raise
    finally:
        daemon.kill()
        daemon.wait()
        server.stop()


def watch_it_fail_and_recover(root, database, server, port, page):
    def status():
        return json.loads(root.run("tidemark", "--config", CONFIG, "--json", "status"))["freshness"]

    require(status()["state"] == "fresh", "not fresh:", status())
    step("stop the source")
    server.stop()
    stale = until("status says stale", lambda: (now := status())["state"] == "stale" and now)
    require(stale["source_unavailable_reason"], "stale without a reason:", stale)
    print(f"stale: {stale['source_unavailable_reason']}")
    page.saw_it_turn_stale()
    code, said = ready(port, "?max_age=5s")
    require(code == 503 and said, "/readyz says", code, said)
    print(f"/readyz?max_age=5s: {code} {said}")
    edit = json.loads(subprocess.run([DEMO_DATA, "edit", database], check=True, text=True,
                                     capture_output=True).stdout)
    key = edit["inserted"][0]
    root.run("tidemark", "--config", CONFIG, "get", "episodes", key, exit_code=8)
    step("start it again")
    server.start()
    since = time.monotonic()
    until("status says fresh", lambda: status()["state"] == "fresh")
    page.saw_it_recover()
    root.run("tidemark", "--config", CONFIG, "get", "episodes", key)
    print(f"fresh after {time.monotonic() - since:.1f} s, with what was written meanwhile")
    require(ready(port, "?max_age=5s")[0] == 200, "/readyz did not recover")


def comforts(root):
    step("man pages and completions")
    root.run("apt-get", "install", "-y", "-qq", "--no-install-recommends", "man-db", "bash-completion",
             "python3-venv", "python3-cffi", "python3-numpy")
    for page in ["tidemark"] + [f"tidemark-{name}" for name in root.run("tidemark", "__complete", "").split()]:
        text = root.run("man", "--warnings", "-P", "cat", page)
        for heading in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "SEE ALSO"):
            require(f"\n{heading}\n" in text, page, "has no", heading)
    text = root.run("man", "-P", "cat", "tidemark")
    for heading in ("COMMANDS", "EXIT STATUS", "ENVIRONMENT", "FILES"):
        require(f"\n{heading}\n" in text, "tidemark(1) has no", heading)
    completed = root.run("bash", "-c", ". /usr/share/bash-completion/bash_completion;"
                         " COMP_WORDS=(tidemark st) COMP_CWORD=1; _completion_loader tidemark;"
                         " _tidemark; echo ${COMPREPLY[@]}")
    require(completed == "status\n", "bash completes tidemark st to", completed)
    for name in ("zsh/vendor-completions/_tidemark", "fish/vendor_completions.d/tidemark.fish"):
        root.run("grep", "-q", "__complete", f"/usr/share/{name}")


def python(root, wheel, database):
    step("pip install the wheel, recall by vector from the same cache")
    shutil.copy(wheel, root.file("/tmp"))
    root.run("python3", "-m", "venv", "--system-site-packages", "/srv/venv")
    root.run("/srv/venv/bin/pip", "install", "-q", "--no-deps", "--no-index", f"/tmp/{wheel.name}")
    key = "ep-0000000"
    said = root.run("/srv/venv/bin/python", "/usr/share/doc/tidemark/examples/recall.py",
                    f"{STATE}/cache.redb", key, user="tidemark", folder=STATE)
    print(said.strip())
    require(said.splitlines()[:-1] == nearest(database, key, 3), "brute force says", nearest(database, key, 3))


def remove(root):
    step("apt-get remove, then purge")
    root.run("apt-get", "remove", "-y", "-qq", "tidemark")
    left = [path for path in root.named_tidemark() if not path.startswith("/var/lib/dpkg/info/")]
    require(left == ["/etc/tidemark", CONFIG, STATE], "remove left", left)
    require(root.file(STATE + "/cache.redb").exists(), "remove took the cache")
    root.run("apt-get", "purge", "-y", "-qq", "tidemark")
    require(not root.named_tidemark(), "purge left", root.named_tidemark())


def main(root, deb, wheel, tursodb):
    root = Root(pathlib.Path(root))
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        subprocess.run([DEMO_DATA, "make", work / "own.db", "--episodes", "50"], check=True,
                       stdout=subprocess.DEVNULL)
        install(root, deb)
        by_hand(root, work / "own.db")
        service(root, tursodb, work)
        comforts(root)
        python(root, pathlib.Path(wheel), work / "memories.db")
        remove(root)
    print("package-test: all of it holds")


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
