"""The rules of execution written a second time, in Python, and the engine held to them step by step."""
