"""Counts that stand for the same light: dark and flat field, the strength of the beam, frames that are left out."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from small_scan import COUNT, NX, NY

from ptychogui.io import read
from ptychogui.io.data import Data
from ptychogui.params import InputError

RNG = np.random.default_rng(11)
MONITOR = RNG.uniform(0.5, 2.0, COUNT)


def opened(path, **said):
    return read(Data(path=str(path), hot_pixels=False, dead_pixels=False, **said))


def value(dataset, name):
    return next(v for v in dataset.values if v.name == name)


def test_flat_frames_are_divided_by_after_the_dark_ones(npz, tmp_path, frames):
    dark = RNG.poisson(20, (3, NY, NX))
    flat = RNG.poisson(np.linspace(300, 900, NX)[None, None] * np.ones((5, NY, 1))) + 20
    flat[:, 7, 3] = 20
    np.save(tmp_path / "dark.npy", dark)
    np.save(tmp_path / "flat.npy", flat)
    dataset = opened(npz(data=frames + 20), dark="dark.npy", flat="flat.npy")
    response = flat.mean(0) - dark.mean(0)
    response = response / response[response > 0].mean()
    good = response > 0.05
    expected = np.maximum(frames + 20 - dark.mean(0), 0) / np.where(good, response, 1)
    assert not good[7, 3]
    np.testing.assert_array_equal(dataset.mask, good)
    np.testing.assert_allclose(dataset.frames[:][:, good], expected[:, good], rtol=1e-5)
    assert "1 pixels that hardly answer" in value(dataset, "flat").text
    assert not any("hold no counts" in warning for warning in dataset.warnings)


def test_frames_of_the_scan_may_be_dark_and_flat_ones(npz, frames, scan_px):
    data = frames.astype(np.float64)
    data[[0, 1]] = RNG.poisson(6, (2, NY, NX))
    data[19] = 6 + 100 * np.linspace(0.5, 1.5, NX)
    dataset = opened(npz(data=data), dark_frames=(0, 1), flat_frames=(19,))
    dark = data[:2].mean(0)
    response = (data[19] - dark) / (data[19] - dark).mean()
    expected = np.maximum(data[2:19] - dark, 0) / response
    assert dataset.frames.shape[0] == 17
    np.testing.assert_allclose(dataset.frames[:], expected, rtol=1e-5)
    pixel = np.asarray(dataset.geometry.pixel_m)
    np.testing.assert_allclose(dataset.scan.positions_m / pixel, scan_px[2:19], rtol=1e-6)


@pytest.mark.parametrize("said", [{}, {"crop": (16, 20), "bin": 2, "saturation": 400.0}])
def test_every_frame_to_the_same_sum(npz, frames, said):
    dataset, plain = (opened(npz(), normalisation=how, **said) for how in ("sum", "none"))
    sums, before = (np.nansum(d.frames[:], (1, 2), dtype=np.float64) for d in (dataset, plain))
    np.testing.assert_allclose(sums, sums[0], rtol=1e-5)
    assert 0.8 * before.min() < sums[0] < 1.2 * before.max()
    expected = plain.frames[:] * (sums[0] / before)[:, None, None]
    np.testing.assert_allclose(dataset.frames[:], expected, rtol=1e-5)


def test_a_monitor_from_a_text_file_for_all_frames_of_the_file(npz, tmp_path, frames):
    lines = ["frame, beam", *(f"{n}, {m:.6f}" for n, m in enumerate(MONITOR))]
    (tmp_path / "beam.csv").write_text("\n".join(lines))
    dataset = opened(npz(), normalisation="monitor", monitor="beam.csv", exclude=(3, 8))
    kept = np.setdiff1d(np.arange(COUNT), [3, 8])
    factors = np.median(MONITOR[kept]) / MONITOR[kept]
    np.testing.assert_allclose(dataset.frames[:], frames[kept] * factors[:, None, None], rtol=1e-5)
    assert "beam.csv" in value(dataset, "normalisation").text


def test_a_monitor_in_the_file(npz, frames, tmp_path):
    expected = frames * (np.median(MONITOR) / MONITOR)[:, None, None]
    path = npz(monitor=MONITOR)
    np.testing.assert_array_equal(opened(path).frames[:], frames)
    np.testing.assert_allclose(opened(path, normalisation="monitor").frames[:], expected, rtol=1e-5)
    with h5py.File(tmp_path / "scan.cxi", "w") as file:
        file["entry_1/instrument_1/detector_1/data"] = frames
        file["entry_1/instrument_1/detector_1/translation"] = RNG.normal(0, 1e-6, (COUNT, 3))
        file["entry_1/monitor_1/data"] = MONITOR
    dataset = opened(tmp_path / "scan.cxi", normalisation="monitor", pixel_m=1e-7)
    np.testing.assert_allclose(dataset.frames[:], expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"normalisation": "monitor"}, "holds no monitor"),
        ({"normalisation": "monitor", "monitor": "short.csv"}, "has 2 values"),
        ({"normalisation": "monitor", "monitor": "none.csv"}, "does not exist"),
        ({"normalisation": "monitor", "monitor": "words.csv"}, "no list of numbers"),
        ({"normalisation": "monitor", "monitor": "zero.csv"}, "monitor of frame 2 is not above zero"),
        ({"dark": "short.csv", "dark_frames": (1,)}, "only one of them"),
        ({"dark_frames": (99,)}, "names frame 99"),
        ({"flat_frames": (1,), "dark_frames": (1,)}, "no counts above the dark"),
        ({"crop": (16, 99)}, "data.crop is 16 × 99"),
    ],
)
def test_what_does_not_fit_is_told(npz, tmp_path, said, told):
    (tmp_path / "short.csv").write_text("1\n2\n")
    (tmp_path / "words.csv").write_text("one\ntwo\nthree\n")
    (tmp_path / "zero.csv").write_text("\n".join("0" if n == 2 else "1" for n in range(COUNT)))
    path = npz()
    files = {name: str(tmp_path / given) for name, given in said.items() if name in ("monitor", "dark")}
    with pytest.raises(InputError, match=told):
        opened(path, **{**said, **files})


def test_a_rectangle_is_cut_out_around_the_centre(npz, frames):
    dataset = opened(npz(detector_pixel_m=1e-5), centre=(10, 17), crop=(16, 20))
    np.testing.assert_array_equal(dataset.frames[:], frames[:, 2:18, 7:27])
    turned = opened(npz(detector_pixel_m=1e-5), centre=(10, 17), crop=(20, 16), flip="t")
    np.testing.assert_array_equal(turned.frames[:], frames.swapaxes(1, 2)[:, 7:27, 2:18])
