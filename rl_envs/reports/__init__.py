"""How a report is shown: as text in a terminal, and as an HTML page that needs nothing beside itself."""
