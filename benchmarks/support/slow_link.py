#!/usr/bin/env python3
"""slow_link.py PORT LATENCY_MS MEGABITS: a line to 127.0.0.1:PORT with that latency, there and back,
and that bandwidth in each direction, which all connections share. Prints its own port.

Each piece of data leaves when the line is free of the pieces before it, and arrives half the latency
later. A connection is open after one round trip, as TCP's handshake takes.
"""
import asyncio
import sys

PIECE = 16 * 1024  # bytes


class Direction:
    """One way of the line. Data of all connections queue for it."""

    def __init__(self, latency, bytes_per_second):
        self.latency, self.rate, self.free_at = latency, bytes_per_second, 0.0

    def arrival(self, size):
        now = asyncio.get_running_loop().time()
        self.free_at = max(now, self.free_at) + size / self.rate
        return self.free_at + self.latency


async def deliver(queue, writer):
    loop = asyncio.get_running_loop()
    while (item := await queue.get()) is not None:
        at, data = item
        if (wait := at - loop.time()) > 0:
            await asyncio.sleep(wait)
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


async def carry(reader, writer, direction):
    queue = asyncio.Queue(maxsize=64)
    delivery = asyncio.create_task(deliver(queue, writer))
    try:
        while data := await reader.read(PIECE):
            await queue.put((direction.arrival(len(data)), data))
        await queue.put(None)
        await delivery
    except OSError:
        delivery.cancel()


async def main(port, latency_ms, megabits):
    latency, rate = latency_ms / 2000, megabits * 1e6 / 8
    there, back = Direction(latency, rate), Direction(latency, rate)

    async def connect(reader, writer):
        await asyncio.sleep(2 * latency)
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(carry(reader, server_writer, there), carry(server_reader, writer, back))
        server_writer.close()
        writer.close()

    server = await asyncio.start_server(connect, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])))
