"""What a user may say about a data file: where it is, what it does not hold, and how it is prepared."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ptychogui.io.mapping import Mapping
from ptychogui.io.shapes import AnyShape
from ptychogui.params import (
    DRAWN,
    ESSENTIAL,
    FILE,
    Angle,
    Count,
    Energy,
    Index,
    Kilovolts,
    Length,
    Params,
    Positive,
    SignedLength,
    Step,
    entries,
)

Orientation = Literal["none", "y", "x", "yx", "t", "ty", "tx", "tyx"]
"""Transpose first (t), then reverse the named axes."""


class Data(Params):
    """The data file, what it does not say of itself, and its preparation. What is left unset comes from the file."""

    path: Annotated[str, FILE] = ""
    """The file or folder to read; a folder of images is one scan. Where it has moved, point to it again."""
    mapping: Annotated[Mapping | None, DRAWN] = None
    """Which dataset of the file is what, where its layout is not one of those that are known. Unset: the file's own
    layout, or the mapping that was remembered for it."""
    field: Literal["far", "near"] | None = None
    """Far field (diffraction patterns) or near field (magnified holograms). Unset: near if the file says so or a
    focus-to-sample distance is given, otherwise far."""
    energy_eV: Annotated[Energy | None, ESSENTIAL] = None
    """Photon energy E = hc/λ, such as 8.7 keV. A wrong energy scales every length in the picture."""
    wavelength_m: Length | None = None
    """Wavelength λ, such as 532 nm or 0.0979 nm, instead of an energy. A wrong one scales every length in the
    picture."""
    kV: Kilovolts | None = None
    """Acceleration voltage U of electrons, such as 300 kV, from which λ follows. A wrong one scales every length."""
    distance_m: Annotated[Length | None, ESSENTIAL] = None
    """Distance z from sample to detector. A wrong distance scales the picture (far field) or blurs it (near field)."""
    detector_pixel_m: Annotated[Length | None, ESSENTIAL] = None
    """Size d of a pixel of the detector, before binning. A wrong one scales the picture, as a wrong distance does."""
    focus_to_sample_m: Annotated[Length | None, ESSENTIAL] = None
    """Distance z₁ from the focus of a cone beam to the sample; sets the magnification of a near-field scan."""
    pixel_m: Length | None = None
    """Pixel Δx at the sample after cropping and binning, where it is known better than what it follows from."""
    convergence_rad: Angle | None = None
    """Convergence semi-angle α of an electron or focused X-ray probe; gives the size of the aperture."""
    defocus_m: SignedLength | None = None
    """Distance Δf of the sample from the focus; gives the probe its curvature. X-rays and light: positive behind the
    focus. Electrons: positive for underfocus, the sample before the focus."""
    positions: Annotated[str | None, FILE] = None
    """File (CSV or text) with the positions of the frames, instead of those in the data file; one line for each
    frame."""
    positions_unit: Literal["m", "mm", "um", "nm", "px"] | None = None
    """Unit of the positions; unset: detected. Pixels are those at the sample before cropping and binning."""
    positions_columns: Literal["yx", "xy"] | None = None
    """Order of the columns of the positions; unset: detected. The wrong order mirrors the scan, and no picture
    forms."""
    scan_shape: tuple[Count, Count] | None = None
    """Rows and columns (Ny, Nx) of a raster scan whose positions are not in the file; their product is the number
    of frames."""
    scan_step_m: Step | None = None
    """Step of a raster scan whose positions are not in the file; (y, x) where the two differ."""
    scan_rotation_rad: Angle = 0.0
    """Rotation θ of the scan against the detector: x' = x cos θ − y sin θ, y' = x sin θ + y cos θ."""
    scan_flip: Orientation = "none"
    """Transposition and reversal of the scan's axes, after the rotation. A wrong one spoils every picture; the
    check finds the right one."""
    flip: Orientation = "none"
    """Transposition and reversal of the frames' axes, as a detector may be mounted turned or mirrored against the
    scan."""
    zero_frequency: Literal["corner", "centre"] | None = None
    """Where the middle of the pattern lies in the file; unset: detected. Wrong: the four quarters of each pattern
    are exchanged."""
    centre: tuple[float, float] | None = None
    """Pixel (y, x) of the beam in the frames as they are in the file; unset: found for the far field."""
    crop: Count | tuple[Count, Count] | None = None
    """Side of the square that is cut out around the centre, or rows and columns of a rectangle, after the flip; unset:
    the whole frame."""
    bin: Count = 1
    """Sum this many pixels in y and x into one: quicker, but the far field then has room for a smaller probe only."""
    dark: Annotated[str | None, FILE] = None
    """File with dark frames; their mean is subtracted. Without it a detector's offset looks like light that went
    nowhere."""
    dark_frames: tuple[Index, ...] = Field(default=())
    """Numbers of frames of the scan that were taken without a beam, instead of a file; they are no part of the scan."""
    flat: Annotated[str | None, FILE] = None
    """File with frames of an even illumination; the frames are divided by their mean, of which the average is one."""
    flat_frames: tuple[Index, ...] = Field(default=())
    """Numbers of frames of the scan that show an even illumination, instead of a file; they are no part of the scan."""
    mask: Annotated[str | None, FILE] = None
    """File with a mask of the frame's shape; zero means that a pixel is not used."""
    mask_below: Positive | None = None
    """Leave out pixels whose mean over the scan is below so many counts, as behind a beam stop."""
    mask_above: Positive | None = None
    """Leave out pixels whose mean over the scan is above so many counts, as those in a direct beam may be."""
    mask_shapes: Annotated[tuple[AnyShape, ...], DRAWN] = Field(default=())
    """Discs, rectangles, polygons and strokes of a brush that leave pixels out, or take them back where `use` is true,
    one after the other and after every other rule: [{kind = "disc", centre = [63.5, 70], radius_px = 9}]. Places (y, x)
    are pixels of the frame with zero frequency in the middle, before it is flipped."""
    hot_pixels: bool = True
    """Find pixels that are always far brighter than their neighbours and leave them out."""
    dead_pixels: bool = True
    """Find pixels that are always far darker than their surroundings and leave them out."""
    defect_factor: Annotated[float, Field(gt=1)] = 5.0
    """By how much such a pixel differs from those around it. Too small a factor takes true peaks for defects."""
    saturation: Positive | None = None
    """Counts from which a pixel is saturated and left out in that frame. Too low: strong scattering is lost; unset:
    all is believed."""
    normalisation: Literal["none", "sum", "monitor"] = "none"
    """Bring the frames to the same intensity of the beam: by a monitor of the beam, or by their own sum, which is right
    only where the sample hardly absorbs or scatters out of the frame."""
    monitor: Annotated[str | None, FILE] = None
    """File (text or .npy) with the intensity of the beam for each frame; unset: the monitor in the data file."""
    exclude: tuple[Index, ...] = Field(default=())
    """Frames to leave out, by their number in the file, counted from 0: those without beam, or broken ones."""


PREPARATION = tuple(Data.model_fields)[tuple(Data.model_fields).index("centre") :]
"""The fields that say how frames are prepared, after a file was read."""
FILES = tuple(entry.name for entry in entries(Data) if "file" in entry.marks and entry.name != "path")
"""The fields that name further files."""
