"""Options: policies that run for several steps, their exact models, and planning with them."""
