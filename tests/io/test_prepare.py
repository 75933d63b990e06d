"""Preparation: what a prepared frame is, pixel by pixel, and that good data stay as they are."""

from __future__ import annotations

import itertools
from typing import get_args

import numpy as np
import pytest
from small_scan import COUNT, NX, NY

from ptychogui.io import read
from ptychogui.io.data import Data, Orientation
from ptychogui.io.prepare import Layout, composed


def opened(path, **said):
    return read(Data(path=str(path), **said))


def value(dataset, name):
    return next(v for v in dataset.values if v.name == name)


def test_good_data_are_untouched(npz, frames):
    dataset = opened(npz(), pixel_m=1e-8)
    np.testing.assert_array_equal(dataset.frames[:], frames)
    assert dataset.mask.all()
    assert dataset.warnings == ()
    assert value(dataset, "zero frequency").text == "centre"


def test_corner_is_detected_and_shifted(npz, frames):
    dataset = opened(npz(data=np.fft.ifftshift(frames, axes=(1, 2))))
    np.testing.assert_array_equal(dataset.frames[:], frames)
    assert value(dataset, "zero frequency").text == "corner"
    assert value(dataset, "zero frequency").origin == "guessed"
    again = opened(npz(), zero_frequency="corner", centre=(0, 0))
    np.testing.assert_array_equal(again.frames[3], np.fft.fftshift(frames[3]))


@pytest.mark.parametrize("flip", ["none", "y", "x", "yx", "t", "ty", "tx", "tyx"])
def test_flips(npz, frames, flip):
    expected = frames.swapaxes(1, 2) if flip.startswith("t") else frames
    expected = expected[:, ::-1] if "y" in flip else expected
    expected = expected[..., ::-1] if "x" in flip else expected
    mask = np.ones((NY, NX), bool)
    mask[2, 9] = False
    dataset = opened(npz(mask=mask, detector_pixel_m=np.array([1e-5, 2e-5])), flip=flip)
    np.testing.assert_array_equal(dataset.frames[:] * dataset.mask, expected * dataset.mask)
    assert (~dataset.mask).sum() == 1
    assert dataset.geometry.detector_pixel_m == ((2e-5, 1e-5) if flip.startswith("t") else (1e-5, 2e-5))
    assert dataset.geometry.shape == expected.shape[1:]


@pytest.mark.parametrize(("crop", "bin"), list(itertools.product([None, 16, 15], [1, 2, 3])))
def test_crop_and_bin(npz, frames, crop, bin):
    centre = (10, 17)
    dataset = opened(npz(detector_pixel_m=1e-5), centre=centre, crop=crop, bin=bin)
    ny, nx = ((crop or n) // bin for n in (NY, NX))
    assert dataset.frames.shape == (COUNT, ny, nx)
    assert dataset.mask.shape == (ny, nx)
    assert dataset.geometry.detector_pixel_m == pytest.approx((bin * 1e-5, bin * 1e-5))
    y, x = centre
    middle = frames[:, y : y + bin, x : x + bin].sum((1, 2))
    np.testing.assert_array_equal(dataset.frames[:][:, ny // 2, nx // 2], middle)
    if crop is not None:
        assert dataset.mask.all()
    elif bin == 1:
        assert (~dataset.mask).sum() == NY * NX - (NY - 2) * (NX - 1)


def test_a_beam_far_off_the_middle_is_moved_there(npz, frames):
    dataset = opened(npz(data=np.roll(frames, (5, -6), (1, 2))))
    assert value(dataset, "centre").origin == "guessed"
    mean = np.where(dataset.mask, dataset.frames[:].mean(0), 0)
    y, x = np.unravel_index(mean.argmax(), mean.shape)
    assert abs(y - NY // 2) <= 1
    assert abs(x - NX // 2) <= 1
    assert not dataset.mask.all()


def test_dark_frames_are_subtracted(npz, tmp_path, frames):
    dark = np.random.default_rng(2).poisson(50, (4, NY, NX))
    np.save(tmp_path / "dark.npy", dark)
    dataset = opened(npz(data=frames + 60), dark="dark.npy")
    expected = np.maximum(frames + 60 - dark.mean(0), 0)
    np.testing.assert_allclose(dataset.frames[:], expected, rtol=1e-6)
    assert value(dataset, "dark").origin == "user"


def test_gaps_are_masked_and_told(npz, frames):
    holed = frames.astype(np.int32)
    holed[:, 4, :] = -1
    holed[:, :, 20] = -2
    holed[3, 8, 8] = -1
    dataset = opened(npz(data=holed), pixel_m=1e-8)
    assert not dataset.mask[4].any()
    assert not dataset.mask[:, 20].any()
    assert dataset.mask.sum() == (NY - 1) * (NX - 1)
    assert np.isnan(dataset.frames[3][8, 8])
    assert np.isfinite(dataset.frames[4]).all()
    assert len(dataset.warnings) == 2


def test_isolated_nan_and_negative_values_of_floats(npz, frames):
    holed = frames.astype(np.float32)
    holed[5, 6, 7], holed[6, 2, 2], holed[:, 1, 1] = np.nan, -1, np.inf
    dataset = opened(npz(data=holed))
    assert np.isnan(dataset.frames[5][6, 7])
    assert np.isnan(dataset.frames[6][2, 2])
    assert not dataset.mask[1, 1]
    assert any("2 values in single frames are no counts" in warning for warning in dataset.warnings)


def test_negative_noise_around_zero_counts_as_zero(npz, frames):
    noisy = frames.astype(np.float32)
    noisy[::2, ::5, ::3] = -0.5
    dataset = opened(npz(data=noisy))
    np.testing.assert_array_equal(dataset.frames[:], np.maximum(noisy, 0))
    assert any("negative" in warning for warning in dataset.warnings)


def test_gaps_are_found_where_a_dark_frame_is_given(tmp_path, npz, frames):
    gapped = frames.astype(np.float32)
    gapped[:, 4, :] = -1
    np.save(tmp_path / "dark.npy", np.full((2, NY, NX), 0.5))
    dataset = opened(npz(data=gapped), dark=str(tmp_path / "dark.npy"))
    assert not dataset.mask[4].any()
    assert dataset.mask.sum() == (NY - 1) * NX


def test_markers_of_unsigned_detectors_are_no_counts(npz, frames):
    marked = frames.astype(np.uint32)
    marked[:, 3, 3:6] = 2**32 - 1
    dataset = opened(npz(data=marked))
    np.testing.assert_array_equal(np.flatnonzero(~dataset.mask), 3 * NX + np.array([3, 4, 5]))


def test_saturated_pixels_are_left_out_of_their_frame(npz, frames):
    level = float(np.quantile(frames, 0.999))
    dataset = opened(npz(), saturation=level)
    np.testing.assert_array_equal(np.isnan(dataset.frames[:]), frames >= level)


def test_hot_pixels_are_found(npz, frames):
    hot = frames.copy()
    hot[:, 2, 28] = 5000
    hot[:, 20, 3:5] = 900
    hot[4, 15, 4] = 900
    dataset = opened(npz(data=hot))
    np.testing.assert_array_equal(np.argwhere(~dataset.mask), [[2, 28], [20, 3], [20, 4]])
    assert value(dataset, "hot pixels").text == "3 left out"
    assert opened(npz(data=hot), hot_pixels=False).mask.all()


def test_hot_pixels_leave_peaks_and_discs_alone(npz):
    y, x = np.indices((NY, NX))
    disc = np.where(np.hypot(y - NY // 2, x - NX // 2) < 7.3, 300.0, 0.0)
    peak = 3000 * np.exp(-(((y - 4.4) / 0.85) ** 2 + ((x - 26.3) / 0.85) ** 2))
    data = np.random.default_rng(0).poisson(np.broadcast_to(disc + peak, (COUNT, NY, NX)))
    assert opened(npz(data=data.astype(np.uint16)), centre=(12, 16)).mask.all()


def test_sparse_electron_counts_lose_no_pixels(npz):
    rng = np.random.default_rng(1)
    y, x = np.indices((NY, NX))
    disc = np.where(np.hypot(y - NY // 2, x - NX // 2) < 6, 0.5, 0.002)
    data = rng.poisson(np.broadcast_to(disc, (COUNT, NY, NX))).astype(np.uint8)
    assert opened(npz(data=data)).mask.all()


@pytest.mark.parametrize("said", [{}, {"bin": 2}, {"crop": 16, "centre": (10, 17)}])
def test_indexing_is_that_of_an_array(npz, said):
    dataset = opened(npz(), **said)
    whole = dataset.frames[:]
    for index in (3, -1, slice(2, 9), slice(None, None, 5), np.array([7, 1, 1, 19]), [4, 2]):
        np.testing.assert_array_equal(dataset.frames[index], whole[index])


def test_a_probe_that_no_longer_fits_is_not_used(npz):
    probe = np.ones((1, NY, NX), np.complex64)
    path = npz(probe=probe)
    assert opened(path).probe is not None
    cropped = opened(path, crop=16)
    assert cropped.probe is None
    assert "does not fit" in value(cropped, "probe").text


def test_a_probe_of_nothing_is_not_used(npz):
    empty = opened(npz(probe=np.zeros((1, NY, NX), np.complex64)))
    assert empty.probe is None
    assert "empty" in value(empty, "probe").text


def test_two_orientations_make_one():
    frame = np.arange(12).reshape(3, 4)
    for first, then in itertools.product(get_args(Orientation), repeat=2):
        steps = Layout(False, then, (0, 0), (1, 1), 1).turned(Layout(False, first, (0, 0), (1, 1), 1).turned(frame))
        np.testing.assert_array_equal(Layout(False, composed(first, then), (0, 0), (1, 1), 1).turned(frame), steps)
    np.testing.assert_array_equal(Layout(False, "ty", (0, 0), (1, 1), 1).turned(frame), np.rot90(frame))
