"""`ptychogui info`: what the reader understood."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from ptychogui.cli.arguments import Commands, add_command, add_set, job_of


def add(commands: Commands) -> None:
    """The parser of this command."""
    info = add_command(commands, "info", _info, "Tell what the reader understood, value by value, and its doubts.")
    info.add_argument("file", help="data or result file")
    info.add_argument("--json", action="store_true", help="print it as one line of JSON")
    add_set(info, "data.energy_eV=8700")


def _info(options: argparse.Namespace) -> int:
    from ptychogui import io

    if io.is_result(options.file):
        return _info_of_result(options)
    dataset = io.read(job_of(options).data, need_scan=False)
    if options.json:
        values = {v.name: {"value": v.text, "origin": v.origin, "doubt": v.doubt} for v in dataset.values}
        about = {"file": dataset.source, "frames": dataset.frames.shape, "geometry": asdict(dataset.geometry)}
        print(json.dumps(about | {"values": values, "warnings": dataset.warnings}))
        return 0
    width = max(len(value.name) for value in dataset.values)
    for value in dataset.values:
        print(f"{value.name:<{width}}  {value.text}  [{value.origin}]")
        if value.doubt:
            print(f"{'':<{width}}  ? {value.doubt}")
    for warning in dataset.warnings:
        print(f"! {warning}")
    return 0


def _info_of_result(options: argparse.Namespace) -> int:
    from ptychogui import io

    result = io.read_result(options.file)
    about = {
        "file": options.file,
        "epochs": len(result.loss),
        "object_shape": list(result.obj.slices.shape),
        "probe_shape": list(result.probe.modes.shape),
        "pixel_m": list(result.obj.pixel_m) if result.geometry.calibrated else None,
        "loss": float(result.loss[-1]) if len(result.loss) else None,
        "metrics": dict(result.metrics),
        "provenance": dict(result.provenance),
    }
    if options.json:
        print(json.dumps(about | {"job": result.job}))
        return 0
    for name, value in about.items():
        print(f"{name}: {value}")
    print(result.job)
    return 0
