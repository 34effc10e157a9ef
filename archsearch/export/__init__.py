"""How a network leaves the house: one file an exporter."""
