"""Icons and other files that come with the program: `importlib.resources.files("ptychogui.resources")`."""
