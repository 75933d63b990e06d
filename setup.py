"""The one thing that pyproject.toml cannot say: the folder resources/ is installed as ptychogui.resources."""

from setuptools import find_namespace_packages, find_packages, setup

folders = ["ptychogui.resources", *(f"ptychogui.resources.{name}" for name in find_namespace_packages("resources"))]

setup(
    packages=[*find_packages(include=["ptychogui*"]), *folders],
    package_dir={"ptychogui.resources": "resources"},
    package_data={"": ["*"]},
)
