"""Messages of DECTRIS's stream 2 as a detector writes them, and as nobody should."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from streams import FRAMES, WHERE, Publisher, check, free_port, publishing, sentences, until

from ptychogui.live.dectris import Dectris
from ptychogui.live.packed import Misread, packed
from ptychogui.live.series import Image, Start

for library in ("zmq", "cbor2", "dectris", "hdf5plugin"):
    pytest.importorskip(library, reason=f"{library} is not installed: pip install 'ptychogui[live,packed]'")

import cbor2  # noqa: E402
from cbor2 import CBORTag  # noqa: E402

SHAPE = FRAMES.shape[1:]
COUNTS = FRAMES.astype(np.uint32)
TAGS = {"<u1": 64, ">u2": 65, ">u4": 66, "<u2": 69, "<u4": 70, "<i4": 78, ">f4": 81, "<f8": 86}
BEGUN = datetime(2026, 3, 5, 10, 20, 30, tzinfo=UTC)


def start(**more: object) -> list[bytes]:
    said = {
        "type": "start",
        "series_id": 3,
        "series_unique_id": "01HBV3JPF7",
        "arm_date": BEGUN,
        "channels": ["threshold_2", "threshold_1"],
        "detector_translation": [0.0, 0.0, 2.5],
        "image_size_x": SHAPE[1],
        "image_size_y": SHAPE[0],
        "incident_energy": 8700.0,
        "number_of_images": 12,
        "beam_center_x": 13.5,
        "beam_center_y": 9.25,
        "pixel_size_x": 75e-6,
        "pixel_size_y": 80e-6,
        "goniometer": {"omega": {"start": 0.0, "increment": 0.0}},
    }
    return [cbor2.dumps(said | more)]


def array(values: np.ndarray, name: str, packing: str = "none") -> CBORTag:
    plain = values.astype(name)
    content: Any = plain.tobytes()
    if packing != "none":
        size = plain.itemsize if packing == "bslz4" else 0
        content = CBORTag(56500, [packing, size, packed(plain[None], packing)[0]])
    return CBORTag(40, [list(values.shape), CBORTag(TAGS[name], content)])


def image(number: int, **more: object) -> list[bytes]:
    data = {"threshold_2": array(COUNTS[number], "<u4", "bslz4"), "threshold_1": array(COUNTS[number] // 2, "<u4")}
    said = {"type": "image", "series_id": 3, "image_id": number, "series_date": BEGUN, "data": data}
    return [cbor2.dumps(said | more)]


def frame_of(parts: list[bytes]) -> np.ndarray:
    said = Dectris().understood(parts)
    assert isinstance(said, Image)
    return said.packed.unpacked()


END = [cbor2.dumps({"type": "end", "series_id": 3})]


def test_a_start_says_what_the_detector_knows() -> None:
    mask = np.zeros(SHAPE, np.uint32)
    mask[4, 7] = 16
    said = Dectris().understood(start(pixel_mask={"threshold_1": array(mask, "<u4", "bslz4")}))
    assert isinstance(said, Start)
    assert (said.series, said.shape, said.frames, said.name) == (3, SHAPE, 12, "01HBV3JPF7")
    pixel = {"detector_pixel_m": (80e-6, 75e-6), "centre": (9.25, 13.5)}
    assert dict(said.found) == {"distance_m": 2.5, "energy_eV": 8700.0} | pixel
    assert said.mask is not None
    assert np.argwhere(~said.mask).tolist() == [[4, 7]]
    unknown = {"incident_energy": 0.0, "detector_translation": [0, 0], "pixel_size_x": float("nan"), "user_data": 7}
    bare = Dectris().understood(start(**unknown, beam_center_x=-1.0, number_of_images=0, pixel_mask={"a": 5}))
    assert isinstance(bare, Start)
    assert (dict(bare.found), bare.frames, bare.mask, bare.positions_unit) == ({}, None, None, "m")


def test_user_data_says_what_the_detector_does_not_know() -> None:
    plan = [[0.0, 1e-6], [2e-6, -3e-6]]
    more = {"field": "near", "focus_to_sample_m": 0.0123, "defocus_m": -1e-5, "pixel_m": [1e-8, 2e-8]}
    junk = {"convergence_rad": -1, "detector_pixel_m": [1], "path": "/etc/passwd", "energy_eV": "x"}
    said = Dectris().understood(
        start(incident_wavelength=1.2, user_data=more | junk | {"positions_m": plan, "positions_unit": "um"})
    )
    assert isinstance(said, Start)
    usual = {"distance_m": 2.5, "wavelength_m": pytest.approx(1.2e-10), "detector_pixel_m": (80e-6, 75e-6)}
    assert dict(said.found) == more | usual | {"centre": (9.25, 13.5), "pixel_m": (1e-8, 2e-8)}
    np.testing.assert_array_equal(said.positions_m, plan)
    assert said.positions_unit == "um"


@pytest.mark.parametrize("name", TAGS)
@pytest.mark.parametrize("packing", ["none", "lz4", "bslz4"])
def test_types_and_compressions(name: str, packing: str) -> None:
    values = np.minimum(COUNTS[0], 200)
    said = Dectris().understood(image(0, data={"a": array(values, name, packing)}))
    assert isinstance(said, Image)
    frame = said.packed.unpacked()
    np.testing.assert_array_equal(frame, values)
    assert frame.dtype == np.dtype(name).newbyteorder("=")
    assert frame.dtype.isnative


def test_channels_times_and_positions_of_an_image() -> None:
    times = {"start_time": [3, 10], "stop_time": [5, 10]}
    said = Dectris().understood(image(4, **times, user_data={"position_m": [1e-6, -2]}))
    assert isinstance(said, Image)
    np.testing.assert_array_equal(said.packed.unpacked(), COUNTS[4])
    assert (said.number, said.position_m) == (4, (1e-6, -2.0))
    assert said.time_s == pytest.approx(BEGUN.timestamp() + 0.4, abs=1e-6)
    other = Dectris(channel="threshold_1").understood(image(4, user_data={"position_m": [1e-6, "x"]}))
    assert isinstance(other, Image)
    np.testing.assert_array_equal(other.packed.unpacked(), COUNTS[4] // 2)
    assert (other.position_m, other.time_s) == (None, None)
    with pytest.raises(Misread, match="no channel 'c', but threshold_2, threshold_1"):
        Dectris(channel="c").understood(image(4))


def wrapped(shape: object, tag: int, content: object) -> dict[str, object]:
    return {"data": {"a": CBORTag(40, [shape, CBORTag(tag, content)])}}


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"data": {}}, "no channel"),
        ({"data": {"a": 5}}, "no array of numbers"),
        ({"data": {"a": CBORTag(40, [[4, 4]])}}, "no array of numbers"),
        (wrapped([4, 4], 83, bytes(256)), "no array of numbers"),
        (wrapped(["x", 4], 69, bytes(32)), "no array of numbers"),
        (wrapped([4, 4], 69, 32), "holds no bytes"),
        (wrapped([4, 4], 69, CBORTag(56500, ["zip", 2, b""])), "not known"),
        (wrapped([4, 4], 69, CBORTag(56500, ["bslz4", 4, b""])), "another type"),
        (wrapped([4, 4], 69, bytes(31)), "claims 32 bytes"),
        (wrapped([4, 4], 69, CBORTag(56500, ["bslz4", 2, b"\0"])), "claims 32 bytes"),
        (wrapped([4, 4], 69, CBORTag(56500, ["bslz4", 2, (32).to_bytes(8, "big") + bytes(9)])), "broken"),
        (wrapped([2**14, 2**15], 69, CBORTag(56500, ["lz4", 0, (2**30).to_bytes(8, "big")])), "claims 1,073,741,824"),
        (wrapped([2**40, 2**40], 69, b""), "a size or a type"),
        (wrapped([-4, -4], 69, bytes(32)), "a size or a type"),
        ({"image_id": -1}, "no number"),
        ({"image_id": 2**70}, "no number"),
        ({"series_id": "3"}, "none of a stream"),
        ({"type": "picture"}, "none of a stream"),
    ],
)
def test_an_image_that_is_none(more: dict[str, object], sentence: str) -> None:
    with pytest.raises(Misread, match=sentence):
        frame_of(image(0, **more))


@pytest.mark.parametrize("text", [b"\x5a\x40\x00\x00\x00abc", b"\x9b\x00\x00\x40\x00\x00\x00\x00\x00", b"\x81" * 9999])
def test_a_message_that_claims_a_gigabyte_or_never_ends(text: bytes) -> None:
    with pytest.raises(Misread, match="no CBOR"):
        Dectris().understood([text])


def test_pixels_that_measure_nothing_and_positions_by_time() -> None:
    """A detector marks its gaps by the highest number; a box with encoders knows only the time."""
    source = Dectris(endpoint=free_port(), positions=free_port())
    frames = COUNTS.copy()
    frames[:, 5, 2:6] = 2**32 - 1
    times = [BEGUN + timedelta(seconds=0.1 * number) for number in range(6)]
    messages = [
        image(number, series_date=times[0], start_time=[number, 10], data={"threshold_1": array(frames[number], "<u4")})
        for number in range(6)
    ]
    places = Publisher(source.positions)
    y, x = WHERE[:6].T.tolist()
    text = json.dumps({"time_s": [time.timestamp() for time in times], "y_m": y, "x_m": x}).encode()
    try:
        with publishing(source) as (publisher, receiver):
            places.subscribed()
            publisher.send(start(), *messages)
            until(lambda: receiver.scan is not None and receiver.scan.counters.received == 6)
            places.send([text])
            publisher.send(END)
            until(lambda: receiver.scan is not None and receiver.scan.ended and receiver.scan.counters.ready == 6)
    finally:
        places.close()
    scan = receiver.scan
    assert scan is not None
    np.testing.assert_allclose(scan.positions(np.arange(6)), WHERE[:6], rtol=0, atol=1e-10)
    np.testing.assert_array_equal(scan[scan.arrived], frames[scan.arrived])
    assert scan.begin.mask is not None
    assert np.argwhere(~scan.begin.mask).tolist() == [[5, column] for column in range(2, 6)]
    assert not sentences(receiver)


def test_planned_positions_place_the_frames() -> None:
    source = Dectris(endpoint=free_port())
    with publishing(source) as (publisher, receiver):
        messages = [image(number, data={"t": array(COUNTS[number], "<u2")}) for number in range(8)]
        publisher.send(start(user_data={"positions_m": WHERE.tolist()}), *messages, END)
        until(lambda: receiver.scan is not None and receiver.scan.ended)
    assert receiver.scan is not None
    check(receiver.scan, np.arange(8))
