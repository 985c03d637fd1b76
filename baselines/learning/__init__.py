"""Rules of learning and what they need, as functions of arrays: numbers in, numbers out."""
