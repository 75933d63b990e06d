"""HDF5 files that grow are read while another process writes them, whatever becomes of file and writer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import psutil
import pytest
from live.writing import Writer, until

from ptychogui import io
from ptychogui.cli import main
from ptychogui.io.data import Data
from ptychogui.live import source_of
from ptychogui.live.buffer import Buffer
from ptychogui.live.receiver import Receiver
from ptychogui.live.replayed import Replayed
from ptychogui.live.swmr import Swmr
from ptychogui.params import InputError
from ptychogui.types import Dataset

SMALL = ["shape=[40, 56]", "scan_shape=[9, 8]", "sigma_px=5", "step_px=7"]
QUICK = {"interval_s": 0.01}
N = 72


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("replayed") / "scan.cxi"
    assert main(["simulate", "ptychonet-grid", "-o", str(path), *(x for one in SMALL for x in ("--set", one))]) == 0
    return path


@pytest.fixture(scope="module")
def given(file: Path) -> Dataset:
    return io.read(Data(path=str(file)))


@pytest.fixture(scope="module")
def writer(file: Path) -> Iterator[Writer]:
    process = Writer(file)
    yield process
    process.kill()


@pytest.fixture
def listen() -> Iterator[object]:
    """Begin to listen to a source; it is stopped at the end, whatever happens."""
    begun: list[Receiver] = []

    def start(path: Path, **more: object) -> Receiver:
        receiver = Receiver(Swmr(path=str(path), **{**QUICK, **more}))
        begun.append(receiver)
        receiver.start()
        return receiver

    yield start
    for receiver in begun:
        receiver.stop()
        assert not receiver.error
    assert not [thread for thread in threading.enumerate() if thread.name == "source"]


def check_same(scan: Buffer, given: Dataset, numbers: np.ndarray) -> None:
    np.testing.assert_array_equal(np.sort(scan.arrived), np.sort(numbers))
    np.testing.assert_array_equal(scan[numbers], given.frames[numbers])
    np.testing.assert_allclose(scan.positions(numbers), given.scan.positions_m[numbers])


def said(receiver: Receiver) -> str:
    return " ".join(sentence for _, sentence, _ in receiver.said)


def test_two_scans_come_whole_one_after_the_other(tmp_path: Path, given: Dataset, writer: Writer, listen) -> None:
    path = tmp_path / "live.h5"
    receiver = listen(path)
    until(lambda: "Waiting for" in said(receiver))
    writer.run(f"send(Swmr(path={str(path)!r}), times=2)")
    until(lambda: len(receiver.scans) == 2 and receiver.state == "ended")
    for scan in receiver.scans:
        check_same(scan, given, np.arange(N))
        counters = scan.counters
        assert (counters.received, counters.expected, counters.missing, counters.late) == (N, N, 0, 0)
        assert scan.begin.found["energy_eV"] == 8000
        assert scan.begin.found["detector_pixel_m"] == given.geometry.detector_pixel_m
        assert scan.begin.mask is not None
    assert io.read(Data(path=str(path))).geometry == given.geometry
    receiver.stop()
    assert str(path) not in [one.path for one in psutil.Process().open_files()]


def test_dropped_doubled_and_shuffled_frames_are_counted(
    tmp_path: Path, given: Dataset, writer: Writer, listen
) -> None:
    path = tmp_path / "live.h5"
    order = [1, 0, 2, 2, *range(4, 50), 3, *range(55, N)]
    receiver = listen(path)
    writer.run(f"send(Swmr(path={str(path)!r}), order=np.array({order}), rate=2000)")
    until(lambda: receiver.state == "ended")
    (scan,) = receiver.scans
    check_same(scan, given, np.array(sorted(set(order))))
    counters = scan.counters
    assert (counters.received, counters.ready, counters.missing) == (N - 5, N - 5, 5)
    assert (counters.doubled, counters.late) == (1, 2)


def test_a_writer_that_dies_loses_nothing_and_may_begin_again(
    tmp_path: Path, file: Path, given: Dataset, writer: Writer, listen
) -> None:
    path = tmp_path / "live.h5"
    receiver = listen(path)
    mortal = Writer(file)
    mortal.begin(f"send(Swmr(path={str(path)!r}), rate=40)")
    until(lambda: receiver.scan is not None and receiver.scan.counters.ready > 10)
    mortal.kill()
    before = receiver.scans[0]
    writer.run(f"send(Swmr(path={str(path)!r}))")
    until(lambda: len(receiver.scans) == 2 and receiver.state == "ended")
    assert before.ended
    check_same(before, given, np.arange(before.counters.received))
    check_same(receiver.scans[1], given, np.arange(N))


def test_a_raster_with_keys_is_read_up_to_what_is_whole(tmp_path: Path, writer: Writer, listen) -> None:
    """As areaDetector and swmr-tools write it: four axes, unique ids as keys, y and x apart, units as attributes."""
    path = tmp_path / "raster.nxs"
    writer.run(f"""
file = h5py.File({str(path)!r}, "w", libver="latest")
rng = np.random.default_rng(3)
counts = rng.poisson(9, (3, 4, 18, 14)).astype("u4")
frames = file.create_dataset("scan/eiger/data", counts.shape, "u4", chunks=(1, 2, 18, 14))
keys = file.create_dataset("scan/eiger/uid", (3, 4), "i4", chunks=(3, 4))
y, x = (file.create_dataset("scan/stage_" + axis, (3, 4), chunks=(3, 4)) for axis in "yx")
for one in y, x: one.attrs["units"] = "um"
file["scan/energy"] = 8.7
file["scan/energy"].attrs["units"] = "keV"
file.swmr_mode = True
def row(n, columns=4):
    frames[n, :columns] = counts[n, :columns]
    y[n, :columns], x[n, :columns] = 2.5 * n, 1.5 * np.arange(columns) + 0.1
    keys[n, :columns] = 4 * n + 1 + np.arange(columns)
    for one in frames, y, x, keys: one.flush()
row(0)
row(2)
""")
    receiver = listen(path)
    until(lambda: receiver.scan is not None and receiver.scan.counters.ready == 4)
    writer.run("row(1, 3)")
    until(lambda: receiver.scan is not None and receiver.scan.counters.ready == 7)
    writer.run("file.close()")  # the last frame of the row was never measured
    until(lambda: receiver.state == "ended")
    scan = receiver.scans[0]
    counts = np.random.default_rng(3).poisson(9, (3, 4, 18, 14)).reshape(-1, 18, 14)
    numbers = np.array([0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11])
    np.testing.assert_array_equal(np.sort(scan.arrived), numbers)
    np.testing.assert_array_equal(scan[numbers], counts[numbers])
    where = np.stack([2.5 * (numbers // 4), 1.5 * (numbers % 4) + 0.1], 1)
    np.testing.assert_allclose(scan.positions(numbers), where)
    assert (scan.begin.positions_unit, scan.begin.found["energy_eV"], scan.counters.missing) == ("um", 8700, 1)


PLAIN = """
file = h5py.File({path!r}, {mode!r})
rng = np.random.default_rng({seed})
counts, where = rng.poisson(9, (20, 18, 14)).astype("u2"), rng.normal(0, 1e-6, (20, 3))
if "entry" not in file:
    file.create_dataset("entry/instrument/detector/data", (0, 18, 14), "u2", maxshape=(None, 18, 14))
    file.create_dataset("entry/sample/geometry/translation", (0, 3), maxshape=(None, 3))
    file["entry/instrument/detector/distance"] = 1.2
for name, rows in (("instrument/detector/data", counts), ("sample/geometry/translation", where)):
    dataset = file["entry/" + name]
    dataset.resize({last}, axis=0)
    dataset[{first}:{last}] = rows[{first}:{last}]
"""


def test_a_nexus_file_without_swmr_is_looked_at_again_and_again(tmp_path: Path, writer: Writer, listen) -> None:
    """Written in one go with flushes, then opened and closed for each step, then overwritten in place."""
    path = tmp_path / "scan.nxs"
    plain = {"path": str(path), "seed": 3}
    writer.run(PLAIN.format(**plain, mode="w", first=0, last=5) + "file.flush()")
    receiver = listen(path, quiet_s=1.0)
    until(lambda: receiver.scan is not None and receiver.scan.counters.ready == 5)
    writer.run("file.close()\n" + PLAIN.format(**plain, mode="a", first=5, last=12) + "file.close()")
    until(lambda: receiver.scan is not None and receiver.scan.counters.ready == 12)
    until(lambda: receiver.state == "ended")
    assert "counts as over" in said(receiver)
    writer.run(PLAIN.format(**plain, mode="a", first=12, last=20) + "file.close()")
    until(lambda: receiver.scan is not None and receiver.scan.counters.ready == 20)
    writer.run(PLAIN.format(**plain | {"seed": 4}, mode="w", first=0, last=20) + "file.close()")
    until(lambda: len(receiver.scans) == 2 and receiver.scans[1].counters.ready == 20)
    for scan, seed in zip(receiver.scans, (3, 4)):
        rng = np.random.default_rng(seed)
        np.testing.assert_array_equal(scan[:20], rng.poisson(9, (20, 18, 14)))
        np.testing.assert_allclose(scan.positions(np.arange(20)), rng.normal(0, 1e-6, (20, 3))[:, 1::-1])
        assert scan.begin.found["distance_m"] == 1.2


def test_room_that_was_never_filled_is_no_frame(tmp_path: Path, writer: Writer, listen) -> None:
    path = tmp_path / "scan.h5"
    writer.run(f"""
with h5py.File({str(path)!r}, "w") as file:
    rng = np.random.default_rng(3)
    file["measured/frames"] = np.zeros((40, 18, 14), "f4")
    file["measured/frames"][:7] = rng.poisson(0.5, (7, 18, 14))
    file["measured/frames"][5] = 0
    file["measured/motors/pos"] = np.zeros((40, 2))
    file["measured/motors/pos"][:7] = rng.normal(0, 1, (7, 2))
""")
    receiver = listen(path, quiet_s=0.5)
    until(lambda: receiver.state == "ended")
    scan = receiver.scans[0]
    assert (scan.counters.received, scan.counters.ready, scan.counters.missing) == (7, 7, 33)
    assert scan.begin.positions_unit is None
    assert not scan[5].any()


def test_garbage_and_a_frame_of_a_gigabyte_are_told_until_a_scan_comes(
    tmp_path: Path, given: Dataset, writer: Writer, listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ptychogui.live.follow._PATIENCE_S", 0.1)
    path = tmp_path / "live.h5"
    path.write_bytes(np.random.default_rng(3).bytes(5000))
    receiver = listen(path)
    until(lambda: "live.h5 cannot be read" in said(receiver))
    with h5py.File(tmp_path / "new.h5", "w") as file:
        file.create_dataset("entry/instrument/detector/data", (3, 2**14, 2**15), "u2")
    (tmp_path / "new.h5").replace(path)
    until(lambda: "16384 × 32768 uint16, which cannot be frames" in said(receiver))
    path.unlink()
    writer.run(f"send(Swmr(path={str(path)!r}))")
    until(lambda: receiver.state == "ended")
    check_same(receiver.scans[0], given, np.arange(N))


def test_a_damaged_frame_is_lost_and_no_other(
    tmp_path: Path, writer: Writer, listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ptychogui.live.follow._PATIENCE_S", 0.1)
    path = tmp_path / "live.h5"
    writer.run(f"""
with h5py.File({str(path)!r}, "w") as file:
    counts = np.random.default_rng(3).poisson(9, (50, 18, 14)).astype("u2")
    file.create_dataset("entry_1/data_1/data", data=counts, chunks=(1, 18, 14), compression="gzip")
    file["entry_1/data_1/data"].id.write_direct_chunk((40, 0, 0), b"this is not compressed")
""")
    receiver = listen(path)
    until(lambda: receiver.state == "ended")
    scan = receiver.scans[0]
    assert (scan.counters.received, scan.counters.lost, scan.counters.missing) == (49, 1, 1)
    assert "1 frames of the file are damaged" in said(receiver)
    whole = np.delete(np.arange(50), 40)
    np.testing.assert_array_equal(scan[whole], np.random.default_rng(3).poisson(9, (50, 18, 14))[whole])


def test_without_the_filter_of_a_file_it_is_told_and_nothing_is_lost(
    tmp_path: Path, writer: Writer, listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("hdf5plugin", reason="the file is compressed by one of its filters")
    monkeypatch.setattr("ptychogui.live.follow._PATIENCE_S", 0.1)
    path = tmp_path / "eiger.h5"
    writer.run(f"""
import hdf5plugin
with h5py.File({str(path)!r}, "w") as file:
    counts = np.random.default_rng(3).poisson(9, (5, 18, 14)).astype("u4")
    file.create_dataset("entry/data/data", data=counts, chunks=(1, 18, 14), compression=hdf5plugin.Bitshuffle())
""")
    with monkeypatch.context() as without:
        without.setattr("h5py.h5z.filter_avail", lambda code: False)
        receiver = listen(path)
        until(lambda: "compressed by the filter bitshuffle" in said(receiver))
    until(lambda: receiver.state == "ended")
    np.testing.assert_array_equal(receiver.scans[0][:5], np.random.default_rng(3).poisson(9, (5, 18, 14)))


def test_the_newest_of_many_files_is_followed(tmp_path: Path, given: Dataset, writer: Writer, listen) -> None:
    receiver = listen(tmp_path / "scan_*.h5")
    for number in (1, 2):
        writer.run(f"send(Swmr(path={str(tmp_path / f'scan_{number}.h5')!r}))")
        until(lambda: len(receiver.scans) == number and receiver.state == "ended")  # noqa: B023
    assert [scan.begin.name for scan in receiver.scans] == ["scan_1.h5", "scan_2.h5"]
    check_same(receiver.scans[1], given, np.arange(N))


def test_datasets_may_be_named(tmp_path: Path, writer: Writer, listen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ptychogui.live.follow._PATIENCE_S", 0.1)
    path = tmp_path / "live.h5"
    writer.run(f"""
with h5py.File({str(path)!r}, "w") as file:
    rng = np.random.default_rng(3)
    file["a/large"], file["b/c"] = np.ones((30, 20, 20), "u2"), rng.poisson(9, (6, 18, 14))
    file["m/1"], file["m/2"], file["done"] = np.arange(6.0), np.arange(6) * 0.5, np.array([1, 1, 1, 1, 0, 0])
""")
    receiver = listen(path, frames="b/c", positions="m/2, m/1", keys="done", quiet_s=0.5)
    until(lambda: receiver.state == "ended")
    scan = receiver.scans[0]
    np.testing.assert_array_equal(scan.arrived, np.arange(4))
    np.testing.assert_array_equal(scan.positions(scan.arrived), np.stack([np.arange(4) * 0.5, np.arange(4)], 1))
    wrong = listen(path, frames="b/d")
    until(lambda: "'b/d' is no stack of frames" in said(wrong))


def test_an_address_is_a_path_and_nobody_s_data_are_overwritten(tmp_path: Path, given: Dataset) -> None:
    import asyncio

    source = source_of("swmr:/data/scan.h5")
    assert (source.address, source) == ("swmr:/data/scan.h5", Swmr(path="/data/scan.h5"))
    path = tmp_path / "precious.h5"
    with h5py.File(path, "w") as file:
        file["entry/data"] = 1
    with pytest.raises(InputError, match="is there already and is no replay"):
        asyncio.run(Swmr(path=str(path)).send(Replayed(given)))
    with pytest.raises(InputError, match="No file is given"):
        asyncio.run(Swmr().send(Replayed(given)))
    receiver = Receiver(Swmr())
    receiver.start()
    until(lambda: receiver.error)
    receiver.stop()
    assert "No file is given" in receiver.error
