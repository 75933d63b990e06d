"""The stream of DECTRIS detectors, version 2: CBOR messages by ZeroMQ."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal

import numpy as np

from ptychogui.live import told
from ptychogui.live.packed import Misread, Packed
from ptychogui.live.replayed import Replayed
from ptychogui.live.series import Image, Message, Start, Stop
from ptychogui.live.zmq_socket import Parts
from ptychogui.live.zmq_source import ZmqSource, additions
from ptychogui.types import Mask

_ARRAY, _COMPRESSED = 40, 56500
_NAMES = {64: "u1", 68: "u1", 72: "i1"} | {
    first + step: f"{order}{kind}{2 << step}"
    for first, order, kind in ((65, ">", "u"), (69, "<", "u"), (73, ">", "i"), (77, "<", "i"))
    for step in range(3)
}
_NAMES |= {80: ">f2", 81: ">f4", 82: ">f8", 84: "<f2", 85: "<f4", 86: "<f8"}
_TYPES = {tag: np.dtype(name) for tag, name in _NAMES.items()}
"""Types of numbers by their tags (RFC 8746)."""
_TAGS = {np.dtype(name): tag for tag, name in _NAMES.items() if tag != 68 and not name.startswith(">")}
_CHANNEL = "threshold_1"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CLOCK_HZ = 10**9


class Dectris(ZmqSource):
    """Frames of a DECTRIS detector (EIGER2, ELA, QUADRO, ARINA …) by its stream V2, the detector's own or a proxy's.

    Positions come with the frames, as user data `{"position_m": [y, x]}` of an image, are planned, as user data
    `{"positions_m": [[y, x], …]}` of the start, or come by a second stream.
    """

    schemes: ClassVar[tuple[str, ...]] = ("zmq+dectris",)
    example: ClassVar[str] = "zmq+dectris://127.0.0.1:31001"
    caution: ClassVar[str] = (
        "The detector gives every frame to one listener only: listening to it directly takes frames away from the file "
        "writer. Connect to a proxy or a publisher instead."
    )
    libraries: ClassVar[dict[str, str]] = {
        "zmq": "pyzmq",
        "cbor2": "cbor2",
        "dectris": "dectris-compression",
    }

    kind: Literal["dectris"] = "dectris"
    channel: str = ""
    """Which channel of a detector with several thresholds, such as threshold_1; empty: the first one."""

    def understood(self, parts: Parts) -> Message:
        """What a CBOR message says."""
        import cbor2

        try:
            message = cbor2.loads(parts[-1])
        except (cbor2.CBORError, ValueError, RecursionError) as error:
            raise Misread("A message is no CBOR; it is left out.") from error
        said = told.mapping(message)
        series = told.whole(said.get("series_id"))
        match said.get("type"):
            case "start" if series is not None:
                return self._start(said, series)
            case "image" if series is not None:
                return self._image(said, series)
            case "end" if series is not None:
                return Stop(series)
        raise Misread("A message is none of a stream of version 2 (start, image or end); it is left out.")

    def _start(self, said: Mapping[str, Any], series: int) -> Start:
        user_data = said.get("user_data")
        ny, nx = told.whole(said.get("image_size_y")), told.whole(said.get("image_size_x"))
        where = said.get("detector_translation")
        along = where[2] if isinstance(where, list) and len(where) == 3 else None
        distance = abs(along) if isinstance(along, int | float) else None
        found = told.optics(said, distance, said.get("incident_wavelength"), said.get("incident_energy"))
        return Start(
            series,
            shape=(ny, nx) if ny and nx else None,
            frames=told.whole(said.get("number_of_images")) or None,
            name=str(said.get("series_unique_id") or f"series {series}"),
            found=found | told.added(user_data),
            mask=self._mask(said.get("pixel_mask")),
            positions_m=told.planned(user_data),
            positions_unit=told.positions_unit(user_data),
        )

    def _mask(self, masks: object) -> Mask | None:
        """Where a pixel may be used; a mask that is not understood is none."""
        try:
            return None if not masks else np.asarray(_packed(self._of_channel(masks)).unpacked() == 0)
        except Misread:
            return None

    def _image(self, said: Mapping[str, Any], series: int) -> Image:
        number = told.whole(said.get("image_id"))
        if number is None:
            raise Misread("A frame has no number; it is left out.")
        packed = _packed(self._of_channel(said.get("data")))
        return Image(series, number, packed, told.position(said.get("user_data")), _time_s(said))

    def _of_channel(self, channels: object) -> object:
        given = told.mapping(channels)
        name = self.channel or next(iter(given), "")
        if name not in given:
            raise Misread(f"A frame has no channel '{name}', but {', '.join(map(str, given)) or 'none at all'}.")
        return given[name]

    def start(self, scan: Replayed, series: int) -> Parts:
        """The start message, with the mask of the pixels."""
        import cbor2

        ny, nx = scan.shape
        found, mask = additions(scan), (~scan.dataset.mask).astype(np.uint32)
        dy, dx = found.get("detector_pixel_m", (0.0, 0.0))
        said = {
            "type": "start",
            "series_id": series,
            "series_unique_id": scan.dataset.meta.get("name", f"series {series}"),
            "arm_date": datetime.now(UTC),
            "channels": [_CHANNEL],
            "detector_translation": [0.0, 0.0, float(found.get("distance_m", 0.0))],
            "image_size_x": nx,
            "image_size_y": ny,
            "incident_wavelength": found.get("wavelength_m", 0.0) * 1e10,
            "number_of_images": len(scan),
            "beam_center_x": float(nx // 2),
            "beam_center_y": float(ny // 2),
            "pixel_size_x": dx,
            "pixel_size_y": dy,
            "pixel_mask": {_CHANNEL: _tagged(mask.shape, mask.dtype, mask.tobytes())},
            "pixel_mask_enabled": False,
            "user_data": found,
        }
        return [cbor2.dumps(said)]

    def image(self, series: int, number: int, data: bytes, scan: Replayed) -> Parts:
        """An image message."""
        import cbor2

        now = datetime.now(UTC)
        bits: object = data
        if self.packing != "none":
            size = scan.dtype.itemsize if self.packing == "bslz4" else 0
            bits = cbor2.CBORTag(_COMPRESSED, [self.packing, size, data])
        said = {
            "type": "image",
            "series_id": series,
            "image_id": number,
            "series_date": _EPOCH,
            "start_time": [int(now.timestamp() * _CLOCK_HZ), _CLOCK_HZ],
            "stop_time": [int(now.timestamp() * _CLOCK_HZ), _CLOCK_HZ],
            "data": {_CHANNEL: _tagged(scan.shape, scan.dtype, bits)},
            "user_data": self._place(scan, number),
        }
        return [cbor2.dumps(said)]

    def end(self, series: int) -> Parts:
        """The end message."""
        import cbor2

        return [cbor2.dumps({"type": "end", "series_id": series})]


def _packed(item: object) -> Packed:
    """The array that tags describe: 40 around one of a type, around bytes, or compressed ones. Nothing is unpacked."""
    shape, content = _content(item, _ARRAY) if _tag(item) == _ARRAY else (None, item)
    tag = _tag(content)
    if not isinstance(shape, list | tuple) or tag not in _TYPES or not all(isinstance(n, int) for n in shape):
        raise Misread("A frame is no array of numbers (tags 40 and 64 to 86); it is left out.")
    value = content.value  # type: ignore[attr-defined]
    packing: Any = "none"
    dtype = _TYPES[tag]
    if _tag(value) == _COMPRESSED:
        parts = value.value
        if not isinstance(parts, list | tuple) or len(parts) != 3 or parts[0] not in ("lz4", "bslz4"):
            raise Misread("A frame is compressed in a way that is not known (lz4 and bslz4 are); it is left out.")
        packing, size, value = parts
        if packing == "bslz4" and size != dtype.itemsize:
            raise Misread("A frame is compressed as another type than it is; it is left out.")
    if not isinstance(value, bytes):
        raise Misread("A frame holds no bytes; it is left out.")
    return Packed(tuple(shape), dtype, packing, value)


def _tag(item: object) -> int | None:
    return getattr(item, "tag", None)


def _content(item: Any, tag: int) -> tuple[object, object]:
    value = item.value
    return (value[0], value[1]) if isinstance(value, list | tuple) and len(value) == 2 else (None, None)


def _tagged(shape: tuple[int, ...], dtype: np.dtype[Any], content: object) -> object:
    import cbor2

    return cbor2.CBORTag(_ARRAY, [list(shape), cbor2.CBORTag(_TAGS[dtype], content)])


def _time_s(said: Mapping[str, Any]) -> float | None:
    """The middle of the exposure in seconds since 1970, or since the series began where its date is not known."""
    times = [_rational(said.get(name)) for name in ("start_time", "stop_time")]
    known = [time for time in times if time is not None]
    if not known:
        return None
    date = said.get("series_date")
    return sum(known) / len(known) + (date.timestamp() if isinstance(date, datetime) else 0.0)


def _rational(value: object) -> float | None:
    if not isinstance(value, list | tuple) or len(value) != 2 or not all(isinstance(n, int) for n in value):
        return None
    return value[0] / value[1] if 0 < value[1] < 2**63 and 0 <= value[0] < 2**63 else None
