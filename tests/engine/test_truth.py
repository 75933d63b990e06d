"""Errors against a truth: blind to what no measurement can tell, and to nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from worlds import Array, World, object_at, probe_of, world

from ptychogui.engine import report, truth
from ptychogui.engine.truth import object_nrmse, position_error_px, probe_nrmse
from ptychogui.types import Object, Result, Scan, Truth

SHAPE = (83, 76)


def found_object(known: Truth, shift_px: tuple[float, float], ramp_rad: tuple[float, float], scale: complex) -> Object:
    """The true object on another grid, moved, with a ramp and a scale; its edges taper into ones as a canvas does."""
    first = np.floor(np.array(known.obj.origin_m) / known.obj.pixel_m) - (15, 14)
    y, x = (np.arange(n, dtype=np.float64)[:, None] + f for n, f in zip(SHAPE, first))
    slices = object_at(y - shift_px[0], x.T - shift_px[1])
    slices = slices * scale * np.exp(1j * (ramp_rad[0] * y + ramp_rad[1] * x.T))
    origin_m = first * known.obj.pixel_m
    return Object(slices[None], known.obj.pixel_m, (float(origin_m[0]), float(origin_m[1])))


@pytest.mark.parametrize("scale", [1, 1.7 * np.exp(2.1j)])
@pytest.mark.parametrize("ramp_rad", [(0.0, 0.0), (0.021, -0.4)])
@pytest.mark.parametrize("shift_px", [(0.0, 0.0), (0.3, -0.45), (2.2, -3.7), (-9.6, 7.1)])
def test_shift_ramp_and_scale_are_no_error(
    far: World, shift_px: tuple[float, float], ramp_rad: tuple[float, float], scale: complex
) -> None:
    known = far.dataset.truth
    found = found_object(known, shift_px, ramp_rad, scale)
    assert object_nrmse(found, known.obj, known.support) < 1e-3


def test_a_wrong_object_is_an_error(far: World) -> None:
    known = far.dataset.truth
    found = found_object(known, (0.3, 0.2), (0.02, 0.01), 1.3)
    for wrong in (found.slices.conj(), np.ones_like(found.slices), found.slices[:, ::-1]):
        assert object_nrmse(replace(found, slices=wrong), known.obj, known.support) > 0.1


def test_the_error_is_the_part_that_was_added(far: World) -> None:
    known = far.dataset.truth
    found = found_object(known, (0.0, 0.0), (0.0, 0.0), 1)
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(2, *found.slices.shape)) @ np.eye(SHAPE[1]) * 0.05 / np.sqrt(2)
    noisy = replace(found, slices=found.slices + noise[0] + 1j * noise[1])
    level = np.sqrt(np.mean(np.abs(known.obj.slices[0][known.support]) ** 2))
    assert object_nrmse(noisy, known.obj, known.support) == pytest.approx(0.05 / level, rel=0.05)


def test_what_was_not_reconstructed_is_an_error(far: World) -> None:
    known = far.dataset.truth
    found = found_object(known, (0.0, 0.0), (0.0, 0.0), 1)
    away = replace(found, origin_m=(found.origin_m[0] + 500 * found.pixel_m[0], found.origin_m[1]))
    assert object_nrmse(away, known.obj, known.support) > 0.1


def seen_at(known: Truth, matrix: Array, shift_px: Array, outliers: int = 0) -> Result:
    """A result whose positions, and with them its object, lie at matrix · (y, x) + shift_px of the true ones."""
    pixel_m = np.array(known.obj.pixel_m)
    first = np.floor(np.array(known.obj.origin_m) / pixel_m + shift_px) - (11, 8)
    y, x = np.meshgrid(*(np.arange(n) + f for n, f in zip((81, 74), first)), indexing="ij")
    back = np.tensordot(np.linalg.inv(matrix), np.stack([y - shift_px[0], x - shift_px[1]]), 1)
    places = known.positions_m / pixel_m @ matrix.T + shift_px
    places[:outliers] += (7, -9)
    origin_m = first * pixel_m
    obj = Object(object_at(*back)[None], known.obj.pixel_m, (float(origin_m[0]), float(origin_m[1])))
    return replace(
        result_of_truth(world()), obj=obj, scan=Scan(places * pixel_m), nominal_m=places * pixel_m, illumination=None
    )


@pytest.mark.parametrize("shift_px", [(0.0, 0.0), (35.4, -61.2)])
@pytest.mark.parametrize("outliers", [0, 2])
def test_a_shift_that_the_positions_explain_is_no_error(
    far: World, shift_px: tuple[float, float], outliers: int
) -> None:
    found = truth.errors(seen_at(far.dataset.truth, np.eye(2), np.array(shift_px), outliers), far.dataset.truth)
    assert found["object_nrmse"] < 2e-3
    assert found["object_ssim"] > 0.999


@pytest.mark.parametrize("matrix", [((1.03, 0), (0, 0.98)), ((0.999, 0.04), (-0.05, 1.01))])
@pytest.mark.parametrize("outliers", [0, 2])
def test_scale_and_rotation_of_positions_are_no_error_of_the_object(
    far: World, matrix: tuple[tuple[float, float], tuple[float, float]], outliers: int
) -> None:
    found = truth.errors(
        seen_at(far.dataset.truth, np.array(matrix), np.array([3.3, 20.8]), outliers), far.dataset.truth
    )
    assert found["object_nrmse"] < 5e-3
    assert found["position_error_px"] > 0.05


def test_an_object_that_its_positions_do_not_explain_is_an_error(far: World) -> None:
    turned = seen_at(far.dataset.truth, np.array([[1.0, 0.2], [-0.2, 1.0]]), np.zeros(2))
    straight = replace(turned, scan=Scan(far.dataset.truth.positions_m))
    assert truth.errors(turned, far.dataset.truth)["object_nrmse"] < 5e-3
    assert truth.errors(straight, far.dataset.truth)["object_nrmse"] > 0.05


def modes(count: int) -> Array:
    return probe_of((48, 40), count, (48, 40))


def test_a_unitary_mix_of_modes_is_no_error() -> None:
    rng = np.random.default_rng(1)
    unitary = np.linalg.qr(rng.normal(size=(3, 3)) + 1j * rng.normal(size=(3, 3)))[0]
    mixed = 0.6 * np.tensordot(unitary, modes(3), 1)
    assert probe_nrmse(mixed, modes(3)) < 1e-3


@pytest.mark.parametrize("shift_px", [(2, -3), (-2, 3)])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_shift_and_ramp_of_a_probe_are_no_error(count: int, shift_px: tuple[int, int]) -> None:
    y, x = np.indices((48, 40))
    moved = np.roll(modes(count), shift_px, (1, 2)) * np.exp(1j * (0.11 * y - 0.3 * x))
    assert probe_nrmse(moved, modes(count)) < 1e-3


def test_a_unitary_mix_that_is_moved_is_no_error() -> None:
    unitary = np.array([[1, 1j], [1j, 1]]) / np.sqrt(2)
    mixed = np.roll(np.tensordot(unitary, modes(2), 1), (1, -2), (1, 2))
    assert probe_nrmse(mixed, modes(2)) < 1e-3


def test_a_missing_mode_is_its_share_of_the_power() -> None:
    known = modes(2)
    gram = np.array([[np.vdot(a, b) for b in known] for a in known])
    power, mix = np.linalg.eigh(gram)
    known = np.tensordot(mix.T[::-1], known, 1)
    share = np.sqrt(power[0] / power.sum())
    assert probe_nrmse(known[:1], known) == pytest.approx(share, rel=0.02)
    assert probe_nrmse(known, known[:1]) > 0.05


def test_a_wrong_probe_is_an_error() -> None:
    assert probe_nrmse(modes(1).conj(), modes(1)) > 0.1


def test_position_error_is_the_median_distance_without_the_mean() -> None:
    rng = np.random.default_rng(2)
    places, error = rng.uniform(0, 50, (400, 2)), rng.normal(0, 0.7, (400, 2))
    assert position_error_px(places + np.array([3.0, -8.0]), places) == pytest.approx(0, abs=1e-12)
    assert position_error_px(places + error + 5, places) == pytest.approx(0.7 * np.sqrt(2 * np.log(2)), rel=0.1)


def result_of_truth(small: World) -> Result:
    job, provenance = "", {"seed": "0"}
    return report.result(small.problem(), small.truth(), small.dataset, np.zeros(0, np.float32), job, provenance, 0.0)


def test_a_perfect_result_has_no_errors(either: World) -> None:
    metrics = result_of_truth(either).metrics
    assert metrics["object_nrmse"] < 1e-3
    assert metrics["object_psnr_dB"] > 60
    assert metrics["object_ssim"] > 0.9999
    assert metrics["probe_nrmse"] < 1e-3
    assert metrics["position_error_px"] < 1e-6
    assert metrics["distance_error"] == 0


def test_errors_that_cannot_be_compared_are_left_out(far: World) -> None:
    perfect, known = result_of_truth(far), far.dataset.truth
    other = replace(known, obj=replace(known.obj, pixel_m=(1.0, 1.0)), probe=known.probe[:, 1:], distance_m=None)
    assert set(truth.errors(perfect, other)) == {"position_error_px"}
    fewer = replace(known, positions_m=known.positions_m[1:])
    of_object = {"object_nrmse", "object_psnr_dB", "object_ssim", "object_ssim_amplitude", "object_ssim_phase"}
    assert set(truth.errors(perfect, fewer)) == of_object | {"probe_nrmse", "distance_error"}


def test_a_wrong_distance_is_told(near: World) -> None:
    known = replace(near.dataset.truth, distance_m=near.dataset.geometry.distance_m / 1.25)
    assert truth.errors(result_of_truth(near), known)["distance_error"] == pytest.approx(0.25)
