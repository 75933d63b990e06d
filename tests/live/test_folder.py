"""A folder that fills with files is read while they come, whatever is wrong with some of them."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile
from live.writing import until

from ptychogui import io
from ptychogui.cli import main
from ptychogui.io.data import Data
from ptychogui.io.positions import write_positions
from ptychogui.live import source_of
from ptychogui.live.buffer import Buffer
from ptychogui.live.folder import Folder
from ptychogui.live.receiver import Receiver
from ptychogui.live.replayed import Replayed
from ptychogui.params import InputError
from ptychogui.types import Dataset

SMALL = ["shape=[20, 28]", "scan_shape=[6, 5]", "sigma_px=3", "step_px=4"]
N = 30
rng = np.random.default_rng(6)
FRAMES = rng.poisson(30, (N, 12, 17)).astype(np.uint16)
WHERE = np.cumsum(rng.normal(0.6, 0.3, (N, 2)), axis=0) * 1e-6


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    path = tmp_path_factory.mktemp("replayed") / "scan.cxi"
    assert main(["simulate", "ptychonet-grid", "-o", str(path), *(x for one in SMALL for x in ("--set", one))]) == 0
    return io.read(Data(path=str(path)))


Listen = Callable[..., Receiver]


@pytest.fixture
def listen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Listen]:
    """Begin to listen to a folder; it is stopped at the end, whatever happens."""
    monkeypatch.setattr("ptychogui.live.watch._AGAIN_S", 0.02)
    monkeypatch.setattr("ptychogui.live.file_series._PATIENCE_S", 0.2)
    begun: list[Receiver] = []

    def start(folder: Path, **more: object) -> Receiver:
        quick = {"interval_s": 0.02, "quiet_s": 0.5}
        receiver = Receiver(Folder(path=str(folder), **{**quick, **more}))  # type: ignore[arg-type]
        begun.append(receiver)
        receiver.start()
        return receiver

    yield start
    for receiver in begun:
        receiver.stop()
        assert not receiver.error
    assert not [thread for thread in threading.enumerate() if thread.name == "source"]


def send(folder: Path, scan: Replayed) -> None:
    asyncio.run(Folder(path=str(folder)).send(scan))


def said(receiver: Receiver) -> str:
    return " ".join(sentence for _, sentence, _ in receiver.said)


def counted(receiver: Receiver, number: int = -1) -> tuple[int, int]:
    """How many frames of a scan are there, and how many have a position."""
    if not receiver.scans:
        return 0, 0
    counters = receiver.scans[number].counters
    return counters.received, counters.ready


def check_same(scan: Buffer, frames: np.ndarray, positions: np.ndarray, numbers: np.ndarray) -> None:
    np.testing.assert_array_equal(np.sort(scan.arrived), np.sort(numbers))
    np.testing.assert_array_equal(scan[numbers], frames[numbers])
    np.testing.assert_allclose(scan.positions(numbers), positions[numbers])


def test_two_scans_come_whole_one_after_the_other(tmp_path: Path, given: Dataset, listen: Listen) -> None:
    receiver = listen(tmp_path / "frames")
    until(lambda: "Waiting for frames" in said(receiver))
    send(tmp_path / "frames", Replayed(given, times=2))
    until(lambda: len(receiver.scans) == 2 and receiver.state == "ended")
    for scan in receiver.scans:
        check_same(scan, given.frames[:], given.scan.positions_m, np.arange(N))
        assert (scan.counters.missing, scan.counters.doubled, scan.begin.positions_unit) == (0, 0, "m")
        assert scan.begin.found["distance_m"] == given.geometry.distance_m
        assert scan.begin.found["detector_pixel_m"] == given.geometry.detector_pixel_m
    assert [scan.begin.name for scan in receiver.scans] == ["frames/scan001_", "frames/scan002_"]


def test_dropped_doubled_and_shuffled_frames_are_counted(tmp_path: Path, given: Dataset, listen: Listen) -> None:
    order = np.array([1, 0, 2, 4, 3, *range(6, 20), *range(22, N)])
    receiver = listen(tmp_path)
    send(tmp_path, Replayed(given, order=order))
    until(lambda: counted(receiver) == (N - 3, N - 3))
    again = tmp_path / "scan001_000009.tif"
    tifffile.imwrite(tmp_path / ".new", given.frames[10].astype(np.uint16), photometric="minisblack")
    (tmp_path / ".new").replace(again)  # the second one of this number is not taken
    until(lambda: receiver.state == "ended")
    (scan,) = receiver.scans
    check_same(scan, given.frames[:], given.scan.positions_m, np.sort(order))
    assert (scan.counters.missing, scan.counters.doubled) == (3, 1)


def test_positions_come_line_by_line_and_only_whole_ones_count(tmp_path: Path, listen: Listen) -> None:
    """Files numbered from 1, a table in µm with x before y and names of files, of which the last line is half."""
    receiver = listen(tmp_path, quiet_s=60)
    table = tmp_path / "positions.csv"
    lines = [f"img_{n + 1:04d}.tif,{1e6 * x!r},{1e6 * y!r}\n" for n, (y, x) in enumerate(WHERE.tolist())]
    table.write_text("file,x_um,y_um\n")
    for number in range(6):
        tifffile.imwrite(tmp_path / f"img_{number + 1:04d}.tif", FRAMES[number])
    until(lambda: counted(receiver) == (6, 0))
    with table.open("a") as file:
        file.write("".join(lines[:3]) + lines[3][:-4])
    until(lambda: counted(receiver) == (6, 3))
    with table.open("a") as file:
        file.write(lines[3][-4:] + "what is this\n" + lines[5] + lines[4])
    until(lambda: counted(receiver) == (6, 6))
    (scan,) = receiver.scans
    np.testing.assert_array_equal(scan[:6], FRAMES[:6])
    np.testing.assert_allclose(scan.positions(np.arange(6)), 1e6 * WHERE[:6])
    assert scan.begin.positions_unit == "um"


def test_positions_one_per_line_without_names_are_in_the_order_of_the_files(tmp_path: Path, listen: Listen) -> None:
    for number in range(5):
        tifffile.imwrite(tmp_path / f"{100 + number}.tif", FRAMES[number])
    receiver = listen(tmp_path)
    np.savetxt(tmp_path / "stage.txt", WHERE[:3, ::-1])
    with (tmp_path / "stage.txt").open("a") as table:
        table.write("what is this\n")
        np.savetxt(table, WHERE[3:5, ::-1])
    until(lambda: receiver.state == "ended")
    assert "1 lines of stage.txt are no rows of numbers" in said(receiver)
    np.testing.assert_allclose(receiver.scans[0].positions(np.arange(5)), WHERE[:5])


def test_planned_positions_end_the_scan_when_all_frames_are_there(tmp_path: Path, listen: Listen) -> None:
    plan = tmp_path / "plan.csv"
    write_positions(plan, WHERE * 1e9, "nm")
    receiver = listen(tmp_path / "frames", positions=str(plan), quiet_s=60)
    (tmp_path / "frames").mkdir()
    for first in range(0, N, 10):
        tifffile.imwrite(tmp_path / f"frames/stack{first // 10 + 1}.tiff", FRAMES[first : first + 10])
    until(lambda: receiver.state == "ended")
    (scan,) = receiver.scans
    check_same(scan, FRAMES, WHERE * 1e9, np.arange(N))
    assert (scan.begin.frames, scan.begin.positions_unit) == (N, "nm")
    wrong = Receiver(Folder(path=str(tmp_path), positions=str(tmp_path / "nothing.csv")))
    wrong.start()
    until(lambda: wrong.error)
    wrong.stop()
    assert "nothing.csv does not exist" in wrong.error


def test_hdf5_files_bring_their_positions_and_optics(tmp_path: Path, listen: Listen) -> None:
    receiver = listen(tmp_path)
    for part, first in enumerate((0, 12, 24)):
        some = slice(first, min(first + 12, N))
        with h5py.File(tmp_path / ".part", "w") as file:
            file["entry/instrument/detector/data"] = FRAMES[some]
            file["entry/instrument/detector/distance"] = 1.5
            y, x = WHERE[some].T
            file["entry/sample/geometry/translation"] = np.stack([x, y, 0 * x], 1)
        (tmp_path / ".part").rename(tmp_path / f"part_{part}.h5")
    until(lambda: receiver.state == "ended")
    (scan,) = receiver.scans
    check_same(scan, FRAMES, WHERE, np.arange(N))
    assert scan.begin.found["distance_m"] == 1.5


def test_half_written_and_damaged_files_are_tried_again_and_then_left_out(tmp_path: Path, listen: Listen) -> None:
    tifffile.imwrite(tmp_path / "whole", FRAMES[2])
    whole = (tmp_path / "whole").read_bytes()
    receiver = listen(tmp_path, quiet_s=3)
    for number in (0, 1, 4):
        tifffile.imwrite(tmp_path / f"a{number}.tif", FRAMES[number])
    slow = tmp_path / "a2.tif"
    slow.write_bytes(whole[: len(whole) // 2])
    (tmp_path / "a3.tif").write_bytes(rng.bytes(700))
    (tmp_path / "a5.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + rng.bytes(700))
    claim = bytearray(whole)
    with tifffile.TiffFile(tmp_path / "whole") as tiff:
        for tag in ("ImageWidth", "ImageLength"):
            at = tiff.pages.first.tags[tag].valueoffset
            claim[at : at + 2] = (2**15).to_bytes(2, "little")
    (tmp_path / "a6.tif").write_bytes(claim)
    tifffile.imwrite(tmp_path / "a7.tif", FRAMES[5, :, :-1])
    until(lambda: "a3.tif cannot be read" in said(receiver) and "a6.tif cannot be read" in said(receiver))
    slow.write_bytes(whole)
    until(lambda: counted(receiver)[0] == 4)
    until(lambda: receiver.state == "ended")
    (scan,) = receiver.scans
    numbers = np.array([0, 1, 2, 4])
    np.testing.assert_array_equal(scan[numbers], FRAMES[numbers])
    assert (scan.counters.received, scan.counters.refused) == (4, 1)
    assert scan.counters.lost >= 2
    assert "a7.tif holds frames of 12 × 16 and not 12 × 17 pixels" in said(receiver)


def test_the_next_scan_may_take_the_names_of_the_last(tmp_path: Path, listen: Listen) -> None:
    receiver = listen(tmp_path, quiet_s=60)
    table = tmp_path / "positions.txt"
    for count, shift in ((6, 0), (4, 20)):
        for number in range(count):
            tifffile.imwrite(tmp_path / ".new", FRAMES[shift + number])
            (tmp_path / ".new").replace(tmp_path / f"frame{number}.tif")
        until(lambda: receiver.scans and counted(receiver)[0] == count)  # noqa: B023
        table.write_text(
            "frame y_m x_m\n" + "".join(f"{n} {y} {x}\n" for n, (y, x) in enumerate(WHERE[shift : shift + count]))
        )
        until(lambda: counted(receiver)[1] == count)  # noqa: B023
    assert len(receiver.scans) == 2
    for scan, count, shift in zip(receiver.scans, (6, 4), (0, 20)):
        np.testing.assert_array_equal(scan[:count], FRAMES[shift : shift + count])
        np.testing.assert_allclose(scan.positions(np.arange(count)), WHERE[shift : shift + count])
    for path in tmp_path.iterdir():
        path.unlink()
    until(lambda: receiver.state == "ended")
    tifffile.imwrite(tmp_path / "frame3.tif", FRAMES[3])
    until(lambda: len(receiver.scans) == 3 and counted(receiver)[0] == 1)


def test_only_the_newest_scan_of_a_full_folder_is_read_and_each_folder_in_it_is_one(
    tmp_path: Path, listen: Listen
) -> None:
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        tifffile.imwrite(tmp_path / name / "1.tif", FRAMES[1])
    (tmp_path / "dark_1.tif").write_bytes((tmp_path / "old" / "1.tif").read_bytes())
    later = (tmp_path / "new" / "1.tif").stat().st_mtime + 5
    os.utime(tmp_path / "new" / "1.tif", (later, later))
    receiver = listen(tmp_path, quiet_s=60)
    until(lambda: counted(receiver)[0] == 1)
    (tmp_path / "newest").mkdir()
    for number in (7, 8):
        tifffile.imwrite(tmp_path / "newest" / f"{number}.tif", FRAMES[number])
    until(lambda: len(receiver.scans) == 2 and counted(receiver)[0] == 2)
    assert [scan.begin.name for scan in receiver.scans] == ["new/", "newest/"]
    np.testing.assert_array_equal(receiver.scans[1][:2], FRAMES[7:9])


def test_a_single_file_of_another_name_does_not_end_a_scan(tmp_path: Path, listen: Listen) -> None:
    receiver = listen(tmp_path, quiet_s=60)
    tifffile.imwrite(tmp_path / "f1.tif", FRAMES[0])
    until(lambda: counted(receiver)[0] == 1)
    tifffile.imwrite(tmp_path / "snapshot.tif", FRAMES[9])
    (tmp_path / "settings.h5").write_bytes(rng.bytes(900))
    tifffile.imwrite(tmp_path / "f2.tif", FRAMES[1])
    until(lambda: counted(receiver)[0] == 2)
    assert len(receiver.scans) == 1


def test_an_address_is_a_folder() -> None:
    assert source_of("folder:/data/scan") == Folder(path="/data/scan")
    assert Folder(path="/data/scan").address == "folder:/data/scan"
    with pytest.raises(InputError, match="No folder is given"):
        asyncio.run(Folder().send(None))  # type: ignore[arg-type]
