#!/usr/bin/env python3
"""`tidemark mcp` with the public Python client of the Model Context Protocol (mcp_client.txt).

mcp_client_test.py PROGRAM TURSODB: over a SQLite file and over a real Turso server, a client lists the
tools, syncs, recalls, and is told how stale the cache is when the source is down. The client itself
validates each answer against the schema that the tool has published.
"""
import asyncio
import contextlib
import json
import os
import pathlib
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time

from mcp import Client, StdioServerParameters

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from ports import free_port  # noqa: E402

PATIENCE_SECONDS = 60  # a busy machine may do it late
LOOK_SECONDS = 0.05  # between two looks
MAX_STALENESS_MS = 3000
SOURCE = """
CREATE TABLE episodes(episode_id TEXT PRIMARY KEY, task_description TEXT, start_time INTEGER);
CREATE TABLE patterns(pattern_id TEXT PRIMARY KEY, pattern_type TEXT, pattern_data TEXT);
CREATE TABLE embeddings(embedding_id TEXT PRIMARY KEY, item_id TEXT, item_type TEXT, embedding_data TEXT,
  embedding_vector F32_BLOB(2), dimension INTEGER);
INSERT INTO episodes VALUES('e1', 'one', 1), ('e2', 'two', 2), ('e3', 'three', 3);
INSERT INTO patterns VALUES('p1', 'retry', '{}'), ('p2', 'plan', '{}');
INSERT INTO embeddings VALUES('v1', 'e1', 'episode', NULL, x'0000803F00000000', 2),
  ('v2', 'e2', 'episode', NULL, x'000000000000803F', 2), ('v3', 'p1', 'pattern', NULL, x'0000803F0000803F', 2);
"""


class File:
    """A source that can be down: here, locked by somebody else."""

    def __init__(self, folder):
        self.path, self.holder = folder / "source.db", None
        with contextlib.closing(sqlite3.connect(self.path)) as db, db:
            db.executescript(SOURCE)
        self.url = f"file:{self.path}"

    def stop(self):
        self.holder = sqlite3.connect(self.path)
        self.holder.execute("BEGIN EXCLUSIVE")

    def start(self):
        self.holder.close()


class Server(File):
    """The same, served by tursodb."""

    def __init__(self, folder, tursodb):
        super().__init__(folder)
        self.port = free_port()
        self.tursodb, self.log, self.process = tursodb, folder / "server.log", None
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [self.tursodb, self.path, "--sync-server", f"127.0.0.1:{self.port}"], stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            assert self.process.poll() is None and time.monotonic() < deadline, self.log.read_text()

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
        self.process = None


class Agent:
    """What a client is answered."""

    def __init__(self, client):
        self.client = client

    async def call(self, tool, arguments=None, error=None, progress=None):
        """The answer, after a look at what each has to have; `error`: the code that it must be."""
        result = await self.client.call_tool(tool, arguments or {}, PATIENCE_SECONDS, progress_callback=progress)
        answer = result.structured_content
        assert json.loads(result.content[0].text) == answer
        assert bool(result.is_error) == (error is not None), (tool, answer)
        assert "freshness" in answer, (tool, answer)
        if error:
            assert answer["error"]["code"] == error, (tool, answer)
            assert answer["error"]["message"] and answer["error"]["hint"], (tool, answer)
        else:
            assert answer["error"] is None, (tool, answer)
        return answer

    async def until(self, state):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            answer = await self.call("status")
            if answer["freshness"]["state"] == state:
                return answer
            assert time.monotonic() < deadline, answer
            await asyncio.sleep(LOOK_SECONDS)


async def recall(agent):
    items = (await agent.call("get", {"collection": "episodes", "keys": ["e2", "e9"]}))["items"]
    assert [item["presence"] for item in items] == ["hit", "absent"], items
    assert items[0]["row"]["task_description"] == "two", items
    answer = await agent.call("list", {"collection": "episodes", "limit": 2})
    assert [item["key"] for item in answer["items"]] == ["e3", "e2"] and answer["truncated"], answer
    answer = await agent.call("list", {"collection": "patterns", "where": {"index": "pattern_type", "value": "plan"}})
    assert [item["key"] for item in answer["items"]] == ["p2"], answer
    answer = await agent.call("list", {"collection": "embeddings", "of": "e1"})
    assert answer["items"][0]["row"]["embedding_vector"] == {"dimension": 2}, answer
    await agent.call("get", {"collection": "episodes"}, error="invalid")
    # By vector, and by what is like a memory; then the memory itself, by the key that was named.
    answer = await agent.call("nearest", {"vector": [0.9, 0.1], "k": 2, "of": "episodes"})
    assert [one["key"] for one in answer["neighbours"]] == ["v1", "v2"], answer
    assert answer["coverage"]["searched"] == 2, answer
    answer = await agent.call("nearest", {"like": "e2"})
    assert [one["key"] for one in answer["neighbours"]] == ["v3", "v1"] and answer["presence"] == "hit", answer
    parent = answer["neighbours"][1]["parent"]
    items = (await agent.call("get", {"collection": parent["collection"], "keys": [parent["key"]]}))["items"]
    assert items[0]["row"]["task_description"] == "one", items
    assert (await agent.call("nearest", {"like": "e3"}))["presence"] == "unknown"


async def conversation(client, source):
    assert client.protocol_version == "2025-11-25", client.protocol_version
    assert client.server_info.name == "tidemark" and "freshness" in client.instructions
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert set(tools) == {"get", "list", "nearest", "status", "sync"}, tools
    assert all(tool.description and tool.output_schema for tool in tools.values())

    agent = Agent(client)
    answer = await agent.call("status")
    assert answer["freshness"] is None and "sync" in answer["problem"]["hint"], answer
    await agent.call("get", {"collection": "episodes", "keys": ["e1"]}, error="invalid")

    heard = []

    async def progress(done, _total, message):
        heard.append((done, message))

    answer = await agent.call("sync", progress=progress)
    assert answer["complete"] and answer["freshness"]["state"] == "fresh", answer
    assert heard and heard == sorted(heard), heard
    await recall(agent)
    checked_at_ms = (await agent.call("status"))["freshness"]["checked_at_ms"]

    source.stop()
    answer = await agent.call("sync", error="unavailable")
    assert answer["freshness"]["source_unavailable_since_ms"], answer
    await recall(agent)  # the cache answers all the same
    answer = await agent.until("stale")
    assert answer["freshness"]["checked_at_ms"] == checked_at_ms, answer
    assert answer["freshness"]["age_ms"] >= MAX_STALENESS_MS, answer
    assert answer["freshness"]["source_unavailable_reason"], answer
    answer = await agent.call("list", {"collection": "episodes", "max_age_ms": 1000}, error="stale")
    assert answer["freshness"]["state"] == "stale", answer

    source.start()
    answer = await agent.call("sync")
    assert answer["freshness"]["source_unavailable_since_ms"] is None, answer
    assert answer["freshness"]["checked_at_ms"] > checked_at_ms, answer
    await agent.call("list", {"collection": "episodes", "max_age_ms": 60_000})


def talk(program, folder, source, mode):
    config = folder / "tidemark.toml"
    config.write_text(f'[source]\nurl = "{source.url}"\n[cache]\npath = "{folder}/cache.redb"\n[sync]\n'
                      f'interval = "1s"\nheartbeat = "1s"\nmax_staleness = "{MAX_STALENESS_MS}ms"\n'
                      'request_deadline = "1s"\n')

    async def run():
        server = StdioServerParameters(command=program, args=["--config", str(config), "mcp"], cwd=folder)
        async with Client(server, mode=mode) as client:
            await asyncio.wait_for(conversation(client, source), 3 * PATIENCE_SECONDS)

    asyncio.run(run())


def main():
    program, tursodb = (os.path.abspath(path) for path in sys.argv[1:3])
    for kind, mode in (("file", "legacy"), ("server", "auto")):
        with tempfile.TemporaryDirectory(prefix="tidemark-") as name:
            folder = pathlib.Path(name)
            source = File(folder) if kind == "file" else Server(folder, tursodb)
            try:
                talk(program, folder, source, mode)
            finally:
                if kind == "server":
                    source.stop()
        print(f"mcp client: {kind} source, {mode} negotiation: as it should be")


main()
