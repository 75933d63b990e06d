"""The group `/truth` of a simulated file: object, support, probe, positions and distance."""

from __future__ import annotations

import h5py
import numpy as np

from ptychogui.io import hdf5
from ptychogui.io.raw import pair
from ptychogui.types import Object, Truth


def write_truth(file: h5py.File, truth: Truth) -> None:
    """Write the group; the object's pixel and origin are its attributes."""
    group = file.create_group("truth")
    group["object"] = truth.obj.slices
    group["object"].attrs["pixel_m"] = truth.obj.pixel_m
    group["object"].attrs["origin_m"] = truth.obj.origin_m
    group["support"] = truth.support
    group["probe"] = truth.probe
    group["positions_m"] = truth.positions_m
    if truth.distance_m is not None:
        group["distance_m"] = truth.distance_m


def read_truth(file: h5py.File) -> Truth | None:
    """The truth that a file holds; None without one. Raises `KeyError` where a part is missing."""
    group = file.get("truth")
    if not isinstance(group, h5py.Group):
        return None
    obj = group["object"]
    slices = np.asarray(obj).astype(np.complex64)
    slices = slices[None] if slices.ndim == 2 else slices
    return Truth(
        Object(slices, pair(obj.attrs["pixel_m"]), pair(obj.attrs["origin_m"])),
        np.asarray(group["probe"]).astype(np.complex64),
        np.asarray(group["positions_m"], dtype=np.float64),
        np.asarray(group["support"]).astype(bool),
        hdf5.number(group.get("distance_m"), "m"),
    )
