"""How weights are found: recipe, loop, checkpoints. `recipe` needs no torch; import the others where you train."""
