"""A borough of people who do not exist, for tests, demonstrations and measuring.

Made by seed, column by column, with the truth apart from what partners send.
Every national number, postcode and UPRN is from a range that no one holds.

Source: domain research 11.1-11.4; style.md, reserved ranges.
"""

from gateway.synth.borough import (
    DATASETS,
    Borough,
    borough,
    row_link,
    send_all,
    settle,
    truth_of_objections,
    truth_of_people,
)
from gateway.synth.extract import Extract
from gateway.synth.extracts_council import objections
from gateway.synth.families import EXTRACT_DATE
from gateway.synth.people import People

__all__ = [
    "DATASETS",
    "EXTRACT_DATE",
    "Borough",
    "Extract",
    "People",
    "borough",
    "objections",
    "row_link",
    "send_all",
    "settle",
    "truth_of_objections",
    "truth_of_people",
]
