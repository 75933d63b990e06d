"""The stream of DECTRIS detectors, version 1, which others speak too: JSON and binary parts by ZeroMQ."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import numpy as np

from ptychogui.live import told
from ptychogui.live.packed import Misread, Packed, Packing, framed_lz4
from ptychogui.live.replayed import Replayed
from ptychogui.live.series import Image, Message, Start, Stop
from ptychogui.live.zmq_socket import Parts
from ptychogui.live.zmq_source import ZmqSource, additions
from ptychogui.params import ESSENTIAL
from ptychogui.types import Mask

_ENCODING = re.compile(r"(?:(?:bs(8|16|32)-)?(lz4))?([<>])")
_NUMBERS = ("uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float32", "float64")
_LZ4_HEADER = 16
"""Bytes that stand before the block of an LZ4 chunk of HDF5, and not in this stream."""
_NS = 1e-9


class Stream1(ZmqSource):
    """Frames as JSON and binary parts (dheader-1.0, dimage-1.0, dseries_end-1.0), as EIGER detectors send them.

    Positions come with the frames, as appendix `{"position_m": [y, x]}` of an image, are planned, as appendix
    `{"positions_m": [[y, x], …]}` of the header, or come by a second stream, such as that of a PandA box.
    """

    schemes: ClassVar[tuple[str, ...]] = ("zmq+json",)
    example: ClassVar[str] = "zmq+json://127.0.0.1:9999"
    caution: ClassVar[str] = (
        "The detector gives every frame to one listener only: listening to it directly takes frames away from the file "
        "writer. Connect to a proxy or a publisher instead."
    )
    libraries: ClassVar[dict[str, str]] = {"zmq": "pyzmq", "dectris": "dectris-compression"}

    kind: Literal["stream1"] = "stream1"
    endpoint: Annotated[str, ESSENTIAL] = "127.0.0.1:9999"
    """Host and port where the frames come from, such as 127.0.0.1:9999."""

    def understood(self, parts: Parts) -> Message:
        """What the parts of a message say."""
        first = _json(parts[0])
        series = told.whole(first.get("series"))
        match first.get("htype"):
            case "dheader-1.0" if series is not None:
                return _start(parts, first, series)
            case "dimage-1.0" if series is not None:
                return _image(parts, first, series)
            case "dseries_end-1.0" if series is not None:
                return Stop(series)
        raise Misread("A message is none of a stream of version 1 (dheader, dimage or dseries_end); it is left out.")

    def start(self, scan: Replayed, series: int) -> Parts:
        """The header in all detail, with the mask of the pixels, and an appendix."""
        ny, nx = scan.shape
        found = additions(scan)
        dy, dx = found.get("detector_pixel_m", (0.0, 0.0))
        config = {
            "beam_center_x": nx // 2,
            "beam_center_y": ny // 2,
            "description": scan.dataset.meta.get("name", ""),
            "detector_distance": found.get("distance_m", 0.0),
            "nimages": len(scan),
            "ntrigger": 1,
            "wavelength": found.get("wavelength_m", 0.0) * 1e10,
            "x_pixel_size": dx,
            "x_pixels_in_detector": nx,
            "y_pixel_size": dy,
            "y_pixels_in_detector": ny,
        }
        mask = {"htype": "dpixelmask-1.0", "shape": [nx, ny], "type": "uint32"}
        return [
            _text({"htype": "dheader-1.0", "series": series, "header_detail": "all"}),
            _text(config),
            _text(mask),
            (~scan.dataset.mask).astype("<u4").tobytes(),
            _text(found),
        ]

    def image(self, series: int, number: int, data: bytes, scan: Replayed) -> Parts:
        """A frame, the time of its exposure, and an appendix."""
        ny, nx = scan.shape
        data = data[_LZ4_HEADER:] if self.packing == "lz4" else data
        encoding = {"none": "<", "lz4": "lz4<", "bslz4": f"bs{8 * scan.dtype.itemsize}-lz4<"}[self.packing]
        now = time.time_ns()
        kind = {"shape": [nx, ny], "type": scan.dtype.name, "encoding": encoding, "size": len(data)}
        return [
            _text({"htype": "dimage-1.0", "series": series, "frame": number, "hash": ""}),
            _text({"htype": "dimage_d-1.0"} | kind),
            data,
            _text({"htype": "dconfig-1.0", "start_time": now, "stop_time": now, "real_time": 0}),
            _text(self._place(scan, number)),
        ]

    def end(self, series: int) -> Parts:
        """The end of a series."""
        return [_text({"htype": "dseries_end-1.0", "series": series})]


def _start(parts: Parts, first: Mapping[str, Any], series: int) -> Start:
    """What the header of a series says: the configuration, then arrays with a header each, then an appendix."""
    rest = list(parts[1:])
    config = _json(rest.pop(0)) if rest and first.get("header_detail") in ("basic", "all") else {}
    mask: Mask | None = None
    appendix: Mapping[str, Any] = {}
    while rest:
        header = _json(rest.pop(0))
        if "htype" not in header:
            appendix = header
        elif rest:
            array = rest.pop(0)
            mask = _mask(header, array) if header["htype"] == "dpixelmask-1.0" else mask
    images, triggers = told.whole(config.get("nimages")), told.whole(config.get("ntrigger"))
    optics = told.optics(config, config.get("detector_distance"), config.get("wavelength"), config.get("photon_energy"))
    return Start(
        series,
        frames=(images or 0) * (1 if triggers is None else triggers) or None,
        name=f"series {series}",
        found=optics | told.added(appendix),
        mask=mask,
        positions_m=told.planned(appendix),
        positions_unit=told.positions_unit(appendix),
    )


def _image(parts: Parts, first: Mapping[str, Any], series: int) -> Image:
    number = told.whole(first.get("frame"))
    if number is None or len(parts) < 3:
        raise Misread("A frame has no number, or too few parts; it is left out.")
    times = _json(parts[3]) if len(parts) > 3 else {}
    appendix = _json(parts[4]) if len(parts) > 4 else {}
    ns = [value for name in ("start_time", "stop_time") if isinstance(value := times.get(name), int)]
    time_s = sum(ns) * _NS / len(ns) if ns else None
    return Image(series, number, _packed(_json(parts[1]), parts[2]), told.position(appendix), time_s)


def _packed(header: Mapping[str, Any], data: bytes) -> Packed:
    """An array (ny, nx) as the header before it says; its shape counts x first."""
    shape, name = header.get("shape"), header.get("type")
    match = _ENCODING.fullmatch(str(header.get("encoding", "<")))
    sized = isinstance(shape, list) and len(shape) == 2 and None not in map(told.whole, shape)
    if not isinstance(shape, list) or not sized or name not in _NUMBERS:
        raise Misread("The header of a frame has no shape, or not the type of a number; it is left out.")
    if match is None:
        raise Misread("A frame is encoded in a way that is not known (<, lz4< and bs16-lz4< are); it is left out.")
    bits, lz4, order = match.groups()
    dtype = np.dtype(name).newbyteorder(order)
    packing: Packing = "bslz4" if bits else "lz4" if lz4 else "none"
    if bits and int(bits) != 8 * dtype.itemsize:
        raise Misread("A frame is compressed as another type than it is; it is left out.")
    if packing == "lz4":
        data = framed_lz4(data, math.prod(shape) * dtype.itemsize)
    return Packed(tuple(reversed(shape)), dtype, packing, data)


def _mask(header: Mapping[str, Any], data: bytes) -> Mask | None:
    """Where a pixel may be used; a mask that is not understood is none."""
    try:
        return np.asarray(_packed(header, data).unpacked() == 0)
    except Misread:
        return None


def _json(part: bytes) -> Mapping[str, Any]:
    """What a part says; empty where it is no JSON, as an appendix may be anything."""
    try:
        return told.mapping(json.loads(part))
    except (ValueError, RecursionError):
        return {}


def _text(said: Mapping[str, Any]) -> bytes:
    return json.dumps(said).encode()
