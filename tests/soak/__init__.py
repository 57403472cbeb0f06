"""Chaos: real processes are killed, frozen and cut off under load, and what must hold is looked at.

`make soak` (SECONDS=600, SEED=…) ends with a table and fails on any violation. Loopback and one temporary
folder only; it stops by itself and takes down what it started.
"""
