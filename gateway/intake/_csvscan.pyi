"""What the optional C scanner answers; see `gateway.intake.scan`."""

def scan(
    block: bytes, delimiter: str, width: int, longest_cell: int, /
) -> tuple[int, bool, bool, bool]: ...
def parse(
    block: bytes, delimiter: str, width: int, longest_cell: int, places: tuple[int, ...], /
) -> tuple[int, bool, bool, bool, list[tuple[object, object]]] | None: ...
