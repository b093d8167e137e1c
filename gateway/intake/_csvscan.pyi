"""What the optional C scanner answers; see `gateway.intake.scan`."""

def scan(
    block: bytes, delimiter: str, width: int, longest_cell: int, /
) -> tuple[int, bool, bool, bool]: ...
