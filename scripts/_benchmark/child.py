"""One system in a process of its own: ``python -m scripts._benchmark.child NAME STEP TASK PLACE``.

STEP is ``build`` or ``ask``; TASK is the folder of the task, PLACE that of the system. Prints one
line of JSON. A fresh process each time, so that no system finds another's imports, memory or
caches. Nothing heavy is imported before the clock runs.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from scripts._benchmark.systems import SYSTEMS, System
from scripts._benchmark.task import Task, load_task

WARM_UP = 50
"""Questions asked before the measured ones."""


def main(name: str, step: str, task_folder: str, place: str) -> None:
    task = load_task(Path(task_folder))
    steps = {"build": _build, "ask": _ask}
    try:
        figures = steps[step](SYSTEMS[name], task, Path(place))
    except ModuleNotFoundError as error:
        figures = {"absent": (error.name or str(error)).split(".")[0]}
    print(json.dumps(figures, ensure_ascii=False))


def _build(system: type[System], task: Task, place: Path) -> dict[str, Any]:
    """Return seconds and MB from nothing, imports included, to a system that answers."""
    before, started = _resident(), time.perf_counter()
    built = system.build(task, place)
    seconds = time.perf_counter() - started
    megabytes = _resident() - before
    built.ask(task.questions[0])
    return {"build_s": seconds, "build_mb": megabytes}


def _ask(system: type[System], task: Task, place: Path) -> dict[str, Any]:
    """Return seconds and MB from nothing to the first answer, then milliseconds a question."""
    before, started = _resident(), time.perf_counter()
    loaded = system.load(task, place)
    loaded.ask(task.questions[0])
    seconds = time.perf_counter() - started
    megabytes = _resident() - before
    for text in task.questions[:WARM_UP]:
        loaded.ask(text)
    answers, milliseconds = [], []
    for text in task.questions:
        begun = time.perf_counter()
        answer = loaded.ask(text)
        milliseconds.append((time.perf_counter() - begun) * 1000)
        answers.append(asdict(answer))
    return {"start_s": seconds, "start_mb": megabytes, "ms": milliseconds, "answers": answers}


def _resident() -> float:
    """Return the resident memory of this process in MB (Linux)."""
    gc.collect()  # garbage that waits for its turn is nobody's need
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
