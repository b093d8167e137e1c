"""A second implementation of the published specification; it imports nothing of the product."""
