"""Broken files of every kind, and the contract that they break."""
