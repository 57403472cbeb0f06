"""The work of built-in task kinds: entry functions, run in the product's own interpreter without Django.

The folder is the `code_path` of their requests and `<kind>:run` the entry. Nothing here imports from the
product.
"""
