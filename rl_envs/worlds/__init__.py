"""The worlds, one file each: a module docstring that draws it, a builder, and how it is drawn."""
