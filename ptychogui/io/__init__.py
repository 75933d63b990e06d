"""Reading scans, preparing them, and writing data and results: numpy and files, neither torch nor Qt."""

from ptychogui.io.design import Designed, check_design_target, write_design
from ptychogui.io.export import export
from ptychogui.io.files import check_folder, check_writable
from ptychogui.io.readers import formats
from ptychogui.io.reading import read
from ptychogui.io.result import check_result_target, is_result, read_result, write_result
from ptychogui.io.sidecar import sidecar_path, write_sidecar
from ptychogui.io.tiff import folder_steps, write_folder
from ptychogui.io.writing import check_target, write, writing_steps

__all__ = [
    "Designed",
    "check_design_target",
    "check_folder",
    "check_result_target",
    "check_target",
    "check_writable",
    "export",
    "folder_steps",
    "formats",
    "is_result",
    "read",
    "read_result",
    "sidecar_path",
    "write",
    "write_design",
    "write_folder",
    "write_result",
    "write_sidecar",
    "writing_steps",
]
