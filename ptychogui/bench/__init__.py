"""Measures of the engine, each a file; `ptychogui.cli.bench` lists them and says what they have to offer."""
