"""How Django writes times on the pages of the console."""
