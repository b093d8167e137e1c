"""Each change that once was said without what it changes, as a lead reads it now."""

from __future__ import annotations

import pytest

from gateway.policy import compare, load, parse
from gateway.policy.differing import Differing
from gateway.policy.marks import pieces, unmarked, verbatim
from gateway.policy.naming import Names
from tests.policies import shelf
from tests.policies.test_protocols import UNDER, protocol

BASE = shelf.documents()
VOCABULARY = BASE["vocabulary.toml"]
NIS = "National Impact Study"
BASIS = "UK GDPR Art 9(2)(j) (*UKGDPR-9-2-j*)"
COLUMNS = "in the columns of contract The council's register of families (*family_register*)"
CLEAR = """
[purposes.national-impact-study.outputs.names]
recipient = "ons-linkage-unit"
identifiers = "sealed-clear"
clause = "4.2(x)"
approval = { reference = "Minute 7", approved = 2026-02-03, clause = "4.2(y)" }
[purposes.national-impact-study.outputs.names.fields]
forename = { treat = "keep", clause = "4.2(z)" }
"""


def told(path: str, *changes: shelf.Change) -> str:
    """Every sentence of a change of one document."""
    after, _ = load({**BASE, path: shelf.changed(BASE[path], *changes)})
    before, _ = load(BASE)
    return "\n".join(compare(before, after))


@pytest.mark.parametrize(
    ("path", "old", "new", "sentence"),
    [
        ("vocabulary.toml", "Use it for the research that was agreed", "Use it",
         "changes duty *research-only* from *Use it for the research that was agreed, and for "
         "nothing else.* to *Use it, and for nothing else.*"),
        ("vocabulary.toml", '["PROG", "COMP"]', '["PROG"]',
         "changes *programme_arm* in the conditions that its people meet (*where*) of cohort "
         "*programme-and-comparison* from *PROG*, *COMP* to *PROG*"),
        ("vocabulary.toml", '["statistics-authority", "linkage"]', '["statistics-authority"]',
         "removes *linkage* from the class of party Office for National Statistics (*ons*)"),
        ("recipients/ons-research.toml", '"secure-setting", ', "",
         "removes *secure-setting* from the class of recipient"),
        ("recipients/ons-research.toml", 'organisation = "ons"', 'organisation = "dwp"',
         "from Office for National Statistics (*ons*) to Department for Work and Pensions (*dwp*)"),
        ("legal-bases.toml", '[["DPA18-SCH1-4"], ["UKGDPR-84B", "UKGDPR-89"]]',
         '[["DPA18-SCH1-4"]]',
         "removes *UKGDPR-84B*, *UKGDPR-89* from what must stand beside it (*requires*) of legal "
         f"basis {BASIS}"),
        ("datasets/family_register.toml", 'protected_column = "protected"', "",
         "changes the column that marks protected people (*protected_column*) of contract The "
         "council's register of families (*family_register*) from *protected* to nothing"),
        ("datasets/family_register.toml", '[columns.relation]\ntype = "text"\nrequired = true',
         '[columns.relation]\ntype = "text"\nrequired = false',
         "changes whether a value must be given (*required*) of Part in the family (*relation*) "
         f"{COLUMNS} from *yes* to *no*"),
        ("agreements/example.toml", 'take = "wide-by:wave"', 'take = "latest"',
         "changes which of a person's rows count (*take*) of *family_progress* in the joined "
         f"datasets (*joins*) of {NIS} from *wide-by:wave* to *latest*"),
        ("agreements/example.toml", "l = { criteria_met = 2 }", "l = { criteria_met = 3 }",
         "in the least number of values in a group (*disclosure.l*) of output *payload* of "
         f"{NIS} from *2* to *3*"),
        ("agreements/example.toml", "k = 5", 'k = 5\nnot_key = { sex = "4.2(f)" }',
         "adds Sex at registration (*sex*) to what groups are not counted by "
         f"(*disclosure.not_key*) of output *payload* of {NIS}: *4.2(f)*"),
        ("agreements/example.toml", '"Narrative is never needed for this programme."', '"Never."',
         "changes the reason of the prohibition of Narrative of any kind (*free_text_notes*) in"),
        ("agreements/example.toml", '["trafford-council"]', '["ons", "trafford-council"]',
         "changes the order of the controllers of"),
        ("agreements/example.toml", "version = 3\n",
         "version = 3\nsigned = { ons = 2026-04-01 }\n",
         "adds Office for National Statistics (*ons*) to the days of signing (*signed*) of"),
    ],
)  # fmt: skip
def test_a_change_is_said_with_what_it_was_and_is(
    path: str, old: str, new: str, sentence: str
) -> None:
    assert sentence in told(path, (old, new))


def test_a_new_output_is_said_with_all_that_it_lets_out() -> None:
    said = told("agreements/example.toml", (shelf.EXAMPLE, shelf.EXAMPLE + CLEAR))
    assert "in the clear, sealed for the recipient alone (*sealed-clear*)" in said
    assert "to the reference *Minute 7*; the day of its own approval *2026-02-03*" in said
    assert "First given name (*forename*)" in said


def test_a_new_purpose_is_said_with_all_that_it_permits() -> None:
    head = shelf.EXAMPLE[: shelf.EXAMPLE.index("[purposes")]
    said = "\n".join(
        compare(parse({**shelf.around(), "agreements/example.toml": head}), parse(BASE))
    )
    for words in (
        f"sets who may stay out (*participation*) of {NIS} to *objection*",
        "sets the legal bases of",
        "UK GDPR Art 9(2)(j) (*UKGDPR-9-2-j*)",
        f"sets what happens to the family of somebody left out (*household*) of {NIS} to ",
        f"sets the day of destruction (*retain_until*) of {NIS} to *2028-03-31*",
        f"sets whom it is about (*subjects*) of {NIS} to *programme-and-comparison*",
        f"sets what may come back (*returns*) of {NIS} to *aggregates*",
        f"sets the duties of {NIS} to *research-only*",
        f"sets the joined datasets (*joins*) of {NIS} to ",
        "the state that the notice promises *de-identified*",
        "the least number of families in a group *5*",
        "the study of the study key *nis*; the epoch of the study key *2026-1*",
        "adds token *T39* to",
        ", as a five-year age band, from *date_of_birth*, at *2026-04-01*, clause",
    ):
        assert words in said, words


def test_what_a_section_said_is_said_when_it_goes() -> None:
    clear = (shelf.EXAMPLE, shelf.EXAMPLE + CLEAR)
    approval = CLEAR.splitlines()[5]
    with_it, _ = load(shelf.documents(clear))
    without, _ = load(shelf.documents(clear, (f"{approval}\n", "")))
    (added,) = compare(without, with_it)
    (removed,) = compare(with_it, without)
    content = "the reference *Minute 7*; the day of its own approval *2026-02-03*; the clause"
    assert added.startswith("adds the separate approval (*approval*) to output *names* of")
    assert content in added
    assert removed.startswith("removes the separate approval (*approval*) of output *names* of")
    assert f"which was: {content}" in removed


def test_each_value_of_a_protocol_is_said() -> None:
    before = parse(shelf.documents(UNDER, **protocol()))
    for old, new in (("review = ", "review = 2027-02-02 # "), ("Nobody's kin", "No kin")):
        if old not in protocol()["protocols__tier-1"]:
            continue
        after = parse(shelf.documents(UNDER, **protocol((old, new))))
        (said,) = compare(before, after)
        assert " from *" in said
        assert "* to *" in said


def test_a_range_that_is_written_out_is_said_too() -> None:
    said = told("agreements/example.toml", ('["T01..T39"]', '["T01..T20", "T21..T39"]'))
    assert "writes the tokens of" in said
    assert "as *T01..T20*, *T21..T39* instead of *T01..T39*" in said


def test_what_is_read_is_the_text_that_is_signed() -> None:
    text = "Two*three *and* 5*6 offers \\* here\\"
    quoted = text.replace("\\", "\\\\")
    said = told(
        "agreements/example.toml",
        ('"Families with several problems get one joined-up offer of help."', f'"{quoted}"'),
    )
    assert pieces(said)[-2] == (text, True)
    assert text in unmarked(said)
    assert pieces(f"a {verbatim(text)} b") == [(f"a {text} b", False)]
    title = told("agreements/example.toml", ('"National Impact Study"', '"The *real* Study"'))
    assert ("The *real* Study", True) in pieces(title)


def test_a_new_dataset_without_rules_is_not_said_to_change_from_nothing_to_nothing() -> None:
    text = BASE["datasets/family_register.toml"].replace('id = "family_register"', 'id = "again"')
    text = text[: text.index("[[rules]]")]
    sentences = compare(load(BASE)[0], load({**BASE, "datasets/again.toml": text})[0])
    assert any(each.startswith("adds contract ") for each in sentences)
    assert [each for each in sentences if "to nothing" in each or ": nothing" in each] == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (None, (), "from nothing (not written) to nothing (a list)"),
        (None, "", "from nothing (not written) to nothing (a text)"),
        ({}, None, "from nothing (a table) to nothing (not written)"),
        ("1", 1, "from *1* (a text) to *1* (a number)"),
        ("yes", True, "from *yes* (a text) to *yes* (yes or no)"),
        (1, 2, "from *1* to *2*"),
    ],
)
def test_a_value_never_changes_from_something_to_the_same_words(
    old: object, new: object, words: str
) -> None:
    """An empty list and none at all make two digests, so that they are told apart."""
    here = Differing(Names())
    assert list(here.part(here.place("rules", "it"), old, new)) == [
        f"changes the rules across columns (*rules*) of it {words}"
    ]
