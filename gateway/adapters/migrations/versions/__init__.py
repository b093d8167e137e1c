"""One file for each version of the schema: `vNNNN_what_it_adds.py`, in one line of descent."""
