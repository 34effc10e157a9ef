"""How long networks take on a device, and what a table of such times says of others."""
