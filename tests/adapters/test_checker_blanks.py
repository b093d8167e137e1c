"""Blanks around a cell are never part of it, in any block and any kind of file."""

import io

import polars as pl
import pytest

from gateway.adapters.checker import Checker
from gateway.adapters.extract_blocks import read_block
from gateway.model import Contract, ContractColumn, Role

CONTRACT = Contract(
    id="padded",
    title="Padded",
    version=1,
    parties=("council",),
    population="synthetic",
    columns=(
        ContractColumn(name="surname", field="surname", type="text", role=Role.SURNAME),
        ContractColumn(name="born", field="date_of_birth", type="date", date_forms=("%Y%m%d",)),
        ContractColumn(name="count", field="count", type="integer"),
    ),
)


def received(content: bytes) -> tuple[str, pl.DataFrame]:
    taken: list[bytes] = []
    with Checker() as checker:
        verdict = checker.check(io.BytesIO(content), CONTRACT, known_columns=(), sink=taken.append)
    octets, frames = io.BytesIO(b"".join(taken)), []
    while length := int.from_bytes(octets.read(4)):
        frames.append(read_block(octets.read(length)))
    return verdict.state, pl.concat(frames)


@pytest.mark.parametrize(
    "content",
    [
        b"surname, born, count\nneumann, 19151111, 4\n , 19161214, \n",
        b"surname,born,count\n neumann,19151111,4 \n,19161214,\n",
        b'surname,born,count\n" neumann ",19151111,"4 "\n"  ",19161214,\n',
        b"surname,born,count\r\nneumann ,19151111,4 \r\n,19161214 ,\r\n",
        "surname,born,count\n\u00a0neumann,19151111,4\n\u00a0,19161214,\n".encode(),
        b"surname,born,count\nneumann,19151111,4\n,19161214, ",
    ],
)
def test_blanks_around_a_cell_are_never_part_of_it(content):
    state, frame = received(content)
    assert state == "accepted"
    assert frame["surname"].to_list() == ["neumann", None]
    assert frame["born"].cast(pl.String).to_list() == ["1915-11-11", "1916-12-14"]
    assert frame["count"].to_list() == [4, None]
