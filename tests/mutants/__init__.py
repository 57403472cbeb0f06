"""One-line sabotages of the engine, each of which a test must notice: what makes green mean something.

``python -m tests.mutants`` (``make mutants``) commits them one after the other and prints which test noticed.
"""
