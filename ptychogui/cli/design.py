"""`ptychogui design`: a field that makes a given picture."""

from __future__ import annotations

import argparse

from ptychogui.cli.arguments import Commands, add_command, add_set
from ptychogui.params import described, parse_setting


def add(commands: Commands) -> None:
    """The parser of this command."""
    from ptychogui.engine.design import Design

    design = add_command(commands, "design", _design, "Find the field whose diffraction is a given picture.")
    design.add_argument("image", metavar="IMAGE", help="the wanted picture: PNG, JPEG, TIFF or BMP")
    design.add_argument(
        "-o", "--output", required=True, metavar="OUT", help="field to write, .h5 or .tif; PNG beside it"
    )
    design.add_argument("--solver", help="lbfgs, adam or gd")
    design.add_argument("--json", action="store_true", help="print the figures as one line of JSON")
    add_set(design, "free=phase or iterations=100")
    lines = [f"  {path} = {default}\n      {' '.join(text.split())}" for path, default, text in described(Design)]
    design.epilog = "\n".join(["parameters for --set (PATH, default, help):", *lines])


def _design(options: argparse.Namespace) -> int:
    import json
    import sys
    from contextlib import closing

    import numpy as np
    import tomli_w
    from tqdm import tqdm

    from ptychogui import io
    from ptychogui.engine.design import Design, design
    from ptychogui.engine.simulate.photographs import photograph

    params = Design() if options.solver is None else Design().with_value("solver", options.solver)
    for setting in options.set:
        params = params.with_value(*parse_setting(setting))
    io.check_design_target(options.output)
    target = photograph(options.image).astype(np.float32)
    bar = tqdm(total=params.iterations, unit="iteration", disable=not sys.stderr.isatty())
    with closing(design(params, target)) as run, bar:
        done = next(run)
        try:
            for done in run:
                bar.set_postfix_str(f"{done.psnr_dB[-1]:.2f} dB", refresh=False)
                bar.update()
            code = 0
        except KeyboardInterrupt:  # what has been reached is kept
            code = 130
    settings = tomli_w.dumps(params.plain())
    written = io.write_design(io.Designed(done.field, done.picture, target, params.pixel_m, settings), options.output)
    if options.json:
        figures = {"iterations": done.number, "psnr_dB": done.psnr_dB[-1], "psnr_dB_30": done.psnr_dB[:31][-1]}
        print(json.dumps(figures | {"files": [str(path) for path in written]}))
    else:
        print(f"{options.output}: PSNR {done.psnr_dB[-1]:.2f} dB after {done.number} iterations")
    return code
