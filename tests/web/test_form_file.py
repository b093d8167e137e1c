"""The file of a form, however it is cut on its way: the very bytes, or a plain no."""

from __future__ import annotations

import io

from flask import Request
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder

from gateway.web.form_file import FormFile

BOUNDARY = "----a-browser-made-this"
END = f"\r\n--{BOUNDARY}--\r\n".encode()
# Bytes that look like the end of a part, and anything else.
NEARLY = st.sampled_from([b"\r\n", b"\r\n--", f"\r\n--{BOUNDARY}".encode()[:-1], b"-", b"\0"])
BODIES = (
    st.lists(NEARLY | st.binary(max_size=300), max_size=30)
    .map(b"".join)
    .filter(
        lambda body: f"--{BOUNDARY}".encode() not in body  # no browser chooses such a boundary
    )
)


class Dribble(io.BytesIO):
    """A connection that gives so many bytes at a time."""

    def __init__(self, body: bytes, step: int) -> None:
        super().__init__(body)
        self.step = step

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(self.step if size is None or size < 0 else min(size, self.step))


def _part(name: str, *, file: str = "") -> bytes:
    shown = f'; filename="{file}"' if file else ""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{shown}\r\n\r\n'
    return head.encode()


def _form(body: bytes, step: int) -> FormFile:
    environ = EnvironBuilder(
        method="POST",
        input_stream=Dribble(body, step),
        content_type=f"multipart/form-data; boundary={BOUNDARY}",
        content_length=len(body),
    ).get_environ()
    return FormFile(Request(environ), "file")


def _read(form: FormFile, size: int) -> bytes:
    parts = []
    while part := form.read(size):
        assert len(part) <= size
        parts.append(part)
    return b"".join(parts)


@given(body=BODIES, step=st.integers(1, 700), size=st.integers(1, 500))
def test_the_bytes_are_the_same_however_they_are_cut(body: bytes, step: int, size: int) -> None:
    sent = _part("csrf_token") + b"not read\r\n" + _part("file", file="a.csv") + body + END
    form = _form(sent, step)
    assert form.chosen
    assert _read(form, size) == body
    assert form.whole()


@given(body=BODIES, step=st.integers(1, 700), data=st.data())
def test_a_form_that_breaks_off_is_never_whole(body: bytes, step: int, data: st.DataObject) -> None:
    sent = _part("file", file="a.csv") + body + END
    kept = data.draw(st.integers(len(_part("file", file="a.csv")), len(sent) - len(END)))
    form = _form(sent[:kept], step)
    assert body.startswith(_read(form, 400))
    assert not form.whole()


@given(step=st.integers(1, 700))
def test_a_form_without_a_chosen_file_says_so(step: int) -> None:
    nothing = _part("file").replace(b'"file"', b'"file"; filename=""') + b"" + END
    assert not _form(nothing, step).chosen
    assert not _form(_part("other") + b"x" + END, step).chosen
