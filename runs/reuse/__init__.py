"""Has this very task been done before? What a task is made from, and whose result it may take over."""
