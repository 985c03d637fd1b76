"""Names the bug in an agent by what it learned: small probe worlds, and the fixed point of every known bug in each."""
