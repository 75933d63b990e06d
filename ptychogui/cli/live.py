"""`ptychogui live`: a scan becomes a result while it is running."""

from __future__ import annotations

import argparse
import json
import math
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ptychogui.cli.arguments import Commands, add_command, add_run, job_of
from ptychogui.params import InputError, RunError

if TYPE_CHECKING:
    from tqdm import tqdm

    from ptychogui.job import Job
    from ptychogui.live.buffer import Buffer
    from ptychogui.live.feed import LiveFeed
    from ptychogui.live.receiver import Receiver
    from ptychogui.types import Complex, Result

_LOOK_S = 0.05


def add(commands: Commands) -> None:
    """The parser of this command."""
    live = add_command(commands, "live", _live, "Reconstruct a scan while it is running, and write the result.")
    live.add_argument("source", help="where the frames come from, as " + ", ".join(_examples()))
    live.add_argument("-o", "--output", required=True, metavar="RESULT.h5", help="where the result is written")
    live.add_argument("--frames", metavar="SCAN.cxi", help="write the frames to this file while they come")
    live.add_argument(
        "--scans",
        type=int,
        default=1,
        metavar="N",
        help="so many scans, each with the probe of the one before; further ones are RESULT-2.h5 …; 0: for ever",
    )
    live.add_argument(
        "--stall", type=float, metavar="S", help="seconds without a frame after which a scan counts as over"
    )
    live.add_argument("--json", action="store_true", help="print the figures of each scan as one line of JSON")
    add_run(live)


def _examples() -> list[str]:
    from ptychogui.live import AnySource
    from ptychogui.params import members

    return [cls.example for cls in members(AnySource).values()]  # type: ignore[attr-defined]


def _live(options: argparse.Namespace) -> int:
    from ptychogui import io
    from ptychogui.live import source_of
    from ptychogui.live.receiver import Receiver

    io.check_result_target(options.output, options.source)
    if options.scans < 0 or (options.stall is not None and options.stall <= 0):
        raise InputError("Give a number of scans of at least 0, and a time for --stall above 0.")
    job = job_of(options)
    receiver, number, probe, scan = Receiver(source_of(options.source)), 0, None, None
    with _stopping() as stopping:
        receiver.start()
        try:
            while not stopping and (number < options.scans or not options.scans):
                scan = _awaited(receiver, scan, stopping)
                if scan is None:
                    break
                number += 1
                result = _reconstructed(receiver, scan, job, probe, options, number, stopping)
                probe = result.probe.modes if result is not None else probe
                scan.end()
        finally:
            receiver.stop()
    return 130 if stopping else 0


@contextmanager
def _stopping() -> Iterator[list[bool]]:
    """Something that is no longer empty after Ctrl-C; a second Ctrl-C does not wait."""
    before, stopping = signal.getsignal(signal.SIGINT), list[bool]()

    def stop(*_: object) -> None:
        stopping.append(True)
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, stop)
    try:
        yield stopping
    finally:
        signal.signal(signal.SIGINT, before)


def _awaited(receiver: Receiver, before: Buffer | None, stopping: list[bool]) -> Buffer | None:
    """The scan after the one before, which is let go of; None where none will come.

    Raises `InputError` where the source cannot be attached to.
    """
    said, known = 0, int(before is not None)
    while len(receiver.scans) <= known and not stopping:
        said = _say(receiver, said)
        if receiver.error:
            if before is not None:
                print(f"ptychogui: {receiver.error}", file=sys.stderr)
                return None
            raise InputError(receiver.error)
        if receiver.done:
            return None
        time.sleep(_LOOK_S)
    if stopping:
        return None
    scan = receiver.scans[known]
    if before is not None:
        receiver.forget(before)
    return scan


def _say(receiver: Receiver, said: int) -> int:
    """Tell what the source has said since; returns how much it has said."""
    from tqdm import tqdm

    sentences = receiver.sentences(said)
    for sentence in sentences:
        tqdm.write(f"ptychogui: {sentence}", file=sys.stderr)
    return said + len(sentences)


def _reconstructed(
    receiver: Receiver,
    scan: Buffer,
    job: Job,
    probe: Complex | None,
    options: argparse.Namespace,
    number: int,
    stopping: list[bool],
) -> Result | None:
    """Reconstruct a scan to its end, and write the result; None where not enough came of it."""
    from tqdm import tqdm

    from ptychogui.live.feed import LiveFeed
    from ptychogui.live.saver import Saver

    output = _numbered(Path(options.output), number)
    saver = Saver(scan, _numbered(Path(options.frames), number)) if options.frames else None
    feed = LiveFeed(scan, job.data, options.source, probe, saver.path if saver is not None else None)
    result = None
    if saver is not None:
        saver.start()
    try:
        with tqdm(total=scan.begin.frames, unit="frame", disable=not sys.stderr.isatty()) as bar:
            while not feed.ready and not stopping and not scan.ended:
                _watch(receiver, scan, options.stall, bar)
                time.sleep(_LOOK_S)
            if feed.ready:
                begun = job if probe is None else _known_probe(job)
                result = _run(receiver, feed, begun, output, options, bar, stopping)
    finally:
        if saver is not None:
            saver.stop()
    if saver is not None and saver.error:
        raise RunError(saver.error)
    if result is None:
        print(f"ptychogui: Scan {number} ended before enough of it had come for a picture.", file=sys.stderr)
    else:
        _print(result, scan, output, as_json=options.json)
    return result


def _run(
    receiver: Receiver,
    feed: LiveFeed,
    job: Job,
    output: Path,
    options: argparse.Namespace,
    bar: tqdm[Any],
    stopping: list[bool],
) -> Result | None:
    from tqdm import tqdm

    from ptychogui import io
    from ptychogui.job import Request, snapshots
    from ptychogui.types import Result

    result, said = None, 0
    loop = snapshots(job, feed.first(), feed=feed)
    item = next(loop, None)
    while item is not None:
        if isinstance(item, Result):
            result = item
            if math.isfinite(result.metrics["r_factor"]):  # a run that ran away replaces nothing
                io.write_result(result, output)
        else:
            said = _say(receiver, said)
            _watch(receiver, feed.buffer, options.stall, bar)
            for message in item.messages:
                tqdm.write(f"ptychogui: {message}", file=sys.stderr)
            loss = f"loss {item.loss[-1]:.4g}" if len(item.loss) else item.doing
            bar.set_postfix_str(f"epoch {item.epoch} of {item.epochs}, {loss}", refresh=False)
        try:
            item = loop.send(Request(stop=True) if stopping else None)
        except StopIteration:
            break
    return result


def _watch(receiver: Receiver, scan: Buffer, stall_s: float | None, bar: tqdm[Any]) -> None:
    """Show how much has come; a scan of which nothing comes any more is over."""
    counters = scan.counters
    bar.update(counters.received - bar.n)
    if stall_s is not None and counters.received and counters.age_s > stall_s and not scan.ended:
        receiver.give_up(scan, f"Nothing has come for {stall_s:g} s, so the scan counts as over.")


def _known_probe(job: Job) -> Job:
    """The job with the probe of the scan before, which is not looked for again."""
    return job.with_value("start.find_defocus", False) if hasattr(job.start, "find_defocus") else job


def _numbered(path: Path, number: int) -> Path:
    return path if number == 1 else path.with_name(f"{path.stem}-{number}{path.suffix}")


def _print(result: Result, scan: Buffer, output: Path, *, as_json: bool) -> None:
    counters = scan.counters
    figures = {name: getattr(counters, name) for name in ("received", "missing", "late", "doubled", "refused", "lost")}
    if as_json:
        about = {"output": str(output), "epochs": len(result.loss), "frames": len(result.scan), **figures}
        print(json.dumps(about | dict(result.metrics)), flush=True)
        return
    told = ", ".join(f"{name} {count}" for name, count in figures.items() if count)
    metrics = ", ".join(f"{name} {value:.4g}" for name, value in result.metrics.items())
    print(f"{output}: {len(result.scan)} frames ({told}), {len(result.loss)} epochs, {metrics}", flush=True)
