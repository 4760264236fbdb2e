"""``benchmark http``: how fast is it? Figures are ratios within one run.

Machines differ and are noisy, so that each figure stands beside a handler that only echoes,
measured in the same run by the same client.
"""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from bot.settings import load_settings

ECHO = """
import json, sys
from aiohttp import web
async def echo(request):
    return web.Response(body=await request.read(), content_type="application/json")
app = web.Application()
app.router.add_post("/api/v1/ask", echo)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
"""


@click.command("http")
@click.option(
    "--questions",
    type=click.Path(path_type=Path, exists=True),
    help="JSON lines with text; default: phrasings of the knowledge base.",
)
@click.option("--seconds", default=8.0, show_default=True, help="For each of the four runs.")
@click.option("--rounds", default=2, show_default=True, help="Interleaved rounds.")
@click.option("--data", type=click.Path(path_type=Path), help="Data folder (default ./data).")
def http(questions: Path | None, seconds: float, rounds: int, data: Path | None) -> None:
    """POST /api/v1/ask at 1 and at 32 clients, beside an echo, with 500 different questions."""
    bodies = _bodies(questions)
    settings = load_settings(data=data)
    started = time.perf_counter()
    ask_port, echo_port = _free_port(), _free_port()
    serve = [sys.executable, "-m", "scripts", "serve", "--port", str(ask_port),
             "--data", str(settings.data)]  # fmt: skip
    with _running(serve) as server, _running([sys.executable, "-c", ECHO, str(echo_port)]):
        _wait(f"http://127.0.0.1:{ask_port}/health")
        click.echo(
            f"cold start: {time.perf_counter() - started:.2f} s, memory {_rss(server):.0f} MB"
        )
        _wait(f"http://127.0.0.1:{echo_port}/api/v1/ask")
        for clients in (1, 32):
            rows: dict[str, list[tuple[float, list[float]]]] = {"echo": [], "ask": []}
            for _ in range(rounds):
                for name, port in (("echo", echo_port), ("ask", ask_port)):
                    url = f"http://127.0.0.1:{port}/api/v1/ask"
                    rows[name].append(asyncio.run(_load(url, bodies, clients, seconds)))
            _report(clients, rows)
        click.echo(f"memory after the runs: {_rss(server):.0f} MB")


def _bodies(questions: Path | None) -> list[bytes]:
    if questions is not None:
        lines = questions.read_text(encoding="utf-8").splitlines()
        texts = [json.loads(line)["text"] for line in lines]
    else:
        from kb.load import load_knowledge

        entries = load_knowledge().entries.values()
        texts = [phrasing for entry in entries for phrasing in entry.phrasings]
    random.Random(1).shuffle(texts)
    chosen = list(dict.fromkeys(texts))[:500]
    return [json.dumps({"id": str(i), "text": t}).encode() for i, t in enumerate(chosen)]


async def _load(
    url: str, bodies: Sequence[bytes], clients: int, seconds: float
) -> tuple[float, list[float]]:
    """Return requests per second and the latencies in milliseconds of a closed loop."""
    import aiohttp

    latencies: list[float] = []
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    headers = {"Content-Type": "application/json"}

    async def client(session: aiohttp.ClientSession, number: int) -> None:
        turn = number * 37
        while loop.time() < end:
            body = bodies[turn % len(bodies)]
            turn += 1
            begun = time.perf_counter()
            async with session.post(url, data=body, headers=headers) as response:
                await response.read()
                if response.status != 200:
                    raise click.ClickException(f"{url}: HTTP {response.status}")
            latencies.append((time.perf_counter() - begun) * 1000)

    connector = aiohttp.TCPConnector(limit=clients)
    async with aiohttp.ClientSession(connector=connector) as session:
        begun = time.perf_counter()
        await asyncio.gather(*(client(session, i) for i in range(clients)))
        spent = time.perf_counter() - begun
    return len(latencies) / spent, latencies


def _report(clients: int, rows: dict[str, list[tuple[float, list[float]]]]) -> None:
    rates = {name: statistics.median(rate for rate, _ in runs) for name, runs in rows.items()}
    click.echo(f"{clients} client{'s' if clients > 1 else ''}:")
    for name, runs in rows.items():
        times = sorted(t for _, latencies in runs for t in latencies)
        middle, late = times[len(times) // 2], times[int(len(times) * 0.95)]
        click.echo(
            f"  {name:5} {rates[name]:8.0f}/s   median {middle:7.2f} ms   p95 {late:7.2f} ms"
        )
    click.echo(f"  throughput: {rates['ask'] / rates['echo']:.3f} of the echo")


@contextmanager
def _running(arguments: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=20)


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(url: str, seconds: float = 60.0) -> None:
    """Wait until something answers at ``url``, whatever it answers."""
    import urllib.error
    import urllib.request

    end = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(url, timeout=2).close()  # noqa: S310  # our own http address
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            if time.monotonic() > end:
                raise click.ClickException(f"nothing answers at {url}") from None
            time.sleep(0.02)


def _rss(process: subprocess.Popen[bytes]) -> float:
    """Return the resident memory of ``process`` in MB (Linux)."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024
