"""The shape of the house: layers, stages, words, documentation."""
