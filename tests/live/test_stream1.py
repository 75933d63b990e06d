"""Messages of DECTRIS's stream 1 as detectors and others write them, and as nobody should."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from streams import FRAMES, WHERE, Publisher, check, free_port, publishing, sentences, until

from ptychogui.live.packed import Misread, packed
from ptychogui.live.series import Image, Start
from ptychogui.live.stream1 import Stream1

for library in ("zmq", "dectris", "hdf5plugin"):
    pytest.importorskip(library, reason=f"{library} is not installed: pip install 'ptychogui[live,packed]'")

SHAPE = FRAMES.shape[1:]
COUNTS = FRAMES.astype(np.uint32)
CONFIG = {
    "photon_energy": 12400.0,
    "detector_distance": 0.85,
    "nimages": 6,
    "ntrigger": 2,
    "x_pixel_size": 75e-6,
    "y_pixel_size": 76e-6,
    "beam_center_x": 514.0,
    "beam_center_y": 531.0,
    "description": "Dectris Eiger 1M",
}


def text(**said: object) -> bytes:
    return json.dumps(said).encode()


def header(detail: str, *parts: bytes) -> list[bytes]:
    return [text(htype="dheader-1.0", series=7, header_detail=detail), *parts]


def image(number: int, encoding: str = "<", *, name: str = "uint32", **more: Any) -> list[bytes]:
    plain = COUNTS[number].astype(np.dtype(name).newbyteorder(encoding[-1]))
    data = plain.tobytes()
    if "lz4" in encoding:
        bits = encoding.startswith("bs")
        data = packed(plain[None], "bslz4" if bits else "lz4")[0][0 if bits else 16 :]
    kind = {"shape": [SHAPE[1], SHAPE[0]], "type": name, "encoding": encoding, "size": len(data)} | more
    return [
        text(htype="dimage-1.0", series=7, frame=number, hash="d41d8cd9"),
        text(htype="dimage_d-1.0", **kind),
        data,
        text(htype="dconfig-1.0", start_time=10**8 * number, stop_time=10**8 * number, real_time=10**8),
    ]


def frame_of(parts: list[bytes]) -> np.ndarray:
    said = Stream1().understood(parts)
    assert isinstance(said, Image)
    return said.packed.unpacked()


END = [text(htype="dseries_end-1.0", series=7)]


@pytest.mark.parametrize("name", ["uint8", "uint16", "uint32", "int32", "float32"])
@pytest.mark.parametrize("encoding", ["<", ">", "lz4<", "bs{}-lz4<"])
def test_types_and_encodings(name: str, encoding: str) -> None:
    said = Stream1().understood(image(2, encoding.format(8 * np.dtype(name).itemsize), name=name))
    assert isinstance(said, Image)
    frame = said.packed.unpacked()
    np.testing.assert_array_equal(frame, COUNTS[2].astype(name))
    assert frame.dtype == np.dtype(name)
    assert (said.series, said.number, said.position_m) == (7, 2, None)
    assert said.time_s == pytest.approx(0.2)


def test_headers_in_all_details() -> None:
    mask = np.zeros(SHAPE, "<u4")
    mask[3, 11] = 1
    arrays = [
        text(htype="dflatfield-1.0", shape=[SHAPE[1], SHAPE[0]], type="float32"),
        np.ones(SHAPE, "<f4").tobytes(),
        text(htype="dpixelmask-1.0", shape=[SHAPE[1], SHAPE[0]], type="uint32"),
        mask.tobytes(),
        text(htype="dcountrate_table-1.0", shape=[2, 1000], type="float32"),
        bytes(8000),
    ]
    appendix = text(positions_m=[[0, 1], [2, 3.5]], positions_unit="um", focus_to_sample_m=0.01)
    whole = Stream1().understood(header("all", text(**CONFIG), *arrays, appendix))
    assert isinstance(whole, Start)
    optics = {"energy_eV": 12400.0, "distance_m": 0.85, "detector_pixel_m": (76e-6, 75e-6), "centre": (531.0, 514.0)}
    assert dict(whole.found) == optics | {"focus_to_sample_m": 0.01}
    assert (whole.series, whole.frames, whole.positions_unit) == (7, 12, "um")
    assert whole.mask is not None
    assert np.argwhere(~whole.mask).tolist() == [[3, 11]]
    np.testing.assert_array_equal(whole.positions_m, [[0, 1], [2, 3.5]])
    basic = Stream1().understood(header("basic", text(**CONFIG)))
    assert isinstance(basic, Start)
    assert (dict(basic.found), basic.mask, basic.positions_m) == (optics, None, None)
    bare = Stream1().understood(header("none", b"any appendix"))
    assert isinstance(bare, Start)
    assert (dict(bare.found), bare.frames) == ({}, None)


def changed(part: int, **more: object) -> list[bytes]:
    parts = image(0)
    parts[part] = text(**{**json.loads(parts[part]), **more})
    return parts


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ([b""], "none of a stream"),
        ([b"[" * 10**5], "none of a stream"),
        (changed(0, htype="dimage-9.9"), "none of a stream"),
        (changed(0, series=None), "none of a stream"),
        (changed(0, frame=-1), "no number"),
        (image(0)[:2], "too few parts"),
        (changed(1, shape=[28]), "no shape"),
        (changed(1, shape=[28, -20]), "no shape"),
        (changed(1, shape=[28, "20"]), "no shape"),
        (changed(1, type="object"), "not the type of a number"),
        (changed(1, encoding="bs32-zstd<"), "not known"),
        (changed(1, encoding="bs16-lz4<"), "another type"),
        (changed(1, shape=[28, 21]), "claims 2,352 bytes"),
        (changed(1, shape=[2**14, 2**14]), "claims 1,073,741,824 bytes"),
        (changed(1, shape=[2**14, 2**14], encoding="lz4<"), "claims 1,073,741,824 bytes, more than any frame"),
        (changed(1, shape=[2**14, 2**14], encoding="bs32-lz4<"), "claims 1,073,741,824 bytes"),
        (changed(1, shape=[2**50, 2**50], encoding="lz4<"), "more than any frame"),
        ([*image(0)[:1], *image(0, "lz4<")[1:2], image(0, "lz4<")[2][:-9]], "broken"),
    ],
)
def test_an_image_that_is_none(parts: list[bytes], sentence: str) -> None:
    with pytest.raises(Misread, match=sentence):
        frame_of(parts)


def test_positions_by_time_of_another_clock_rate() -> None:
    """Encoders are read when they like: a frame lies between the readings before and behind it."""
    source = Stream1(endpoint=free_port(), positions=free_port())
    places = Publisher(source.positions)
    try:
        with publishing(source) as (publisher, receiver):
            places.subscribed()
            publisher.send(header("basic", text(**CONFIG)), *(image(number, "bs32-lz4<") for number in range(5)))
            until(lambda: receiver.scan is not None and receiver.scan.counters.received == 5)
            places.send([text(time_s=[0.35, 0.0], y_m=[7.0e-6, 0.0], x_m=[-3.5e-6, 0.0])])
            until(lambda: receiver.scan is not None and receiver.scan.counters.ready == 4)
            places.send([text(time_s=[0.45], y_m=[9.0e-6], x_m=[-4.5e-6])])
            until(lambda: receiver.scan is not None and receiver.scan.counters.ready == 5)
            publisher.send(END)
            until(lambda: receiver.scan is not None and receiver.scan.ended)
    finally:
        places.close()
    assert receiver.scan is not None
    seconds = np.arange(5)[:, None] * 0.1
    np.testing.assert_allclose(receiver.scan.positions(np.arange(5)), seconds * [20e-6, -10e-6], atol=1e-15)
    assert not sentences(receiver)


@pytest.mark.parametrize(
    "wrong",
    [
        b"\x00",
        b"[[[[",
        b"17",
        text(y_m=[1.0], x_m=[1.0]),
        text(numbers=[1], y_m=[1.0]),
        text(numbers=[[1]], y_m=[1.0], x_m=[2.0]),
        text(numbers=[1, 2], y_m=[1.0, 2.0], x_m=["a", 3.0]),
        text(numbers=[10**400], y_m=[1.0], x_m=[2.0]),
        text(numbers=[float("nan")], y_m=[1.0], x_m=[2.0]),
        text(time_s=[float("inf")], y_m=[1.0], x_m=[2.0]),
    ],
)
def test_positions_that_are_none(wrong: bytes) -> None:
    from ptychogui.live.placed import placed

    with pytest.raises(Misread, match="positions is not understood"):
        placed(wrong)


def test_planned_positions_place_the_frames() -> None:
    source = Stream1(endpoint=free_port())
    with publishing(source) as (publisher, receiver):
        plan = text(positions_m=WHERE.tolist())
        publisher.send(header("none", plan), *(image(number, "lz4<", name="uint16") for number in range(8)), END)
        until(lambda: receiver.scan is not None and receiver.scan.ended)
    assert receiver.scan is not None
    check(receiver.scan, np.arange(8))
