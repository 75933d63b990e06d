"""The three real scans come out as they are known to be, their good pixels untouched."""

from __future__ import annotations

import bz2
import math
from io import BytesIO

import h5py
import numpy as np
import pytest
from small_scan import SHARED

from ptychogui.io import read
from ptychogui.io.data import Data

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the real scans of ../shared/data are not here")


def test_siemens():
    path = SHARED / "siemens.npz.bz2"
    raw = np.load(BytesIO(bz2.decompress(path.read_bytes())), allow_pickle=False)
    dataset = read(Data(path=str(path)))
    np.testing.assert_array_equal(dataset.frames[:], np.fft.fftshift(raw["data"][0], axes=(1, 2)))
    np.testing.assert_allclose(dataset.scan.positions_m, raw["scan"][0])
    assert dataset.mask.all()
    assert dataset.probe is not None
    assert not dataset.geometry.calibrated
    assert dataset.geometry.field == "far"


def test_petra():
    path = SHARED / "petra_nf.cxi"
    dataset = read(Data(path=str(path), focus_to_sample_m=3.65e-3))
    assert dataset.geometry.field == "near"
    assert dataset.geometry.pixel_m == pytest.approx((178.7e-9, 178.7e-9), rel=1e-3)
    assert dataset.geometry.effective_distance_m == pytest.approx(3.638e-3, rel=1e-3)
    with h5py.File(path) as file:
        raw = file["entry_1/instrument_1/detector_1/data"][()]
        bad = file["entry_1/instrument_1/detector_1/mask"][()] != 0
    np.testing.assert_array_equal(~dataset.mask, bad)
    np.testing.assert_array_equal(dataset.frames[:], np.where(bad, 0, raw))


def test_the_frames_of_petra_move_as_its_positions_say():
    dataset = read(Data(path=str(SHARED / "petra_nf.cxi"), focus_to_sample_m=3.65e-3))
    frames = dataset.frames[:]
    ratio = frames / (np.median(frames, 0) + 1)
    window = np.hanning(100)[:, None] * np.hanning(100)
    spectra = np.fft.fft2((ratio - ratio.mean((1, 2), keepdims=True)) * window)
    at_px = dataset.scan.positions_m / np.asarray(dataset.geometry.pixel_m)
    frequency = 2j * np.pi * np.fft.fftfreq(100)
    total = np.zeros((100, 100))
    for j in range(0, 199, 2):
        dy, dx = at_px[j + 1] - at_px[j]
        ramp = np.exp(frequency[:, None] * dy) * np.exp(frequency * dx)
        cross = spectra[j + 1] * np.conj(spectra[j] * ramp)
        total += np.fft.ifft2(cross / np.abs(cross)).real
    assert np.unravel_index(total.argmax(), total.shape) == (0, 0)
    assert total.max() > 10 * total.std()


def test_the_shadow_images_of_the_cryo_scan_move_as_its_positions_say():
    """README's x runs along the first axis of the detector, so the scan is transposed: flip "tx" instead of "y"."""
    data = Data(
        path=str(SHARED / "electron_cryo" / "vlp_48x40x128x128_u8.npy"),
        pixel_m=4.65e-10,
        scan_step_m=31.25e-10,
        scan_rotation_rad=math.radians(36),
        scan_flip="tx",
    )
    dataset = read(data)
    frames = dataset.frames[:800]
    mean = frames.mean(0)
    shadows = np.where(mean > mean.max() / 2, frames / np.maximum(mean, 1e-3) - 1, 0)
    spectra = np.fft.fft2(shadows).reshape(20, 40, 128, 128)
    at_m = dataset.scan.positions_m[:800].reshape(20, 40, 2)
    smooth = np.exp(-np.add.outer(np.fft.fftfreq(128) ** 2, np.fft.fftfreq(128) ** 2) * 250)
    for first, second in (
        (np.s_[:-1], np.s_[1:]),
        (np.s_[:, :-1], np.s_[:, 1:]),
    ):
        cross = np.fft.ifft2((spectra[second] * np.conj(spectra[first])).sum((0, 1)) * smooth).real
        moved_px = (np.array(np.unravel_index(cross.argmax(), cross.shape)) + 64) % 128 - 64
        step_m = at_m[second][0, 0] - at_m[0, 0]
        cosine = moved_px @ step_m / np.linalg.norm(moved_px) / np.linalg.norm(step_m)
        assert cosine > 0.98
        assert 5 < np.linalg.norm(moved_px) < 8


def test_cryo():
    path = SHARED / "electron_cryo" / "vlp_48x40x128x128_u8.npy"
    data = Data(
        path=str(path),
        kV=300,
        convergence_rad=1.03e-3,
        defocus_m=13.5e-6,
        pixel_m=4.65e-10,
        scan_step_m=31.25e-10,
        scan_rotation_rad=math.radians(36),
        scan_flip="y",
    )
    dataset = read(data)
    raw = np.load(path, mmap_mode="r").reshape(-1, 128, 128)
    np.testing.assert_array_equal(dataset.frames[::7], raw[::7])
    assert dataset.mask.all()
    assert dataset.geometry.wavelength_m == pytest.approx(1.9687e-12, rel=1e-4)
    sin, cos = math.sin(math.radians(36)), math.cos(math.radians(36))  # row 1, column 1
    assert dataset.scan.positions_m[41] == pytest.approx((-31.25e-10 * (sin + cos), 31.25e-10 * (cos - sin)))
