"""Is what is left safe enough to leave: group sizes, mixed values, and the last look.

Source: docs/explanation/disclosure.md; UK GDPR recital 26; security point 18.
"""

from gateway.disclosure.assess import Examined, assess, examine
from gateway.disclosure.directs import (
    DIRECT_COLUMNS,
    Directs,
    directs,
    merge_directs,
    no_directs,
    unsalted,
)
from gateway.disclosure.judge import UNIQUE_SHARE, Verdict, judge
from gateway.disclosure.profile import Profile, merge_profiles, profile
from gateway.disclosure.scan import Leak, Scan, ScanRules, scan_rules
from gateway.disclosure.shape import MANY_VALUES, Coarser, Shape, shape_of
from gateway.disclosure.steadying import (
    Earlier,
    OrderedMembers,
    footprints,
    members_in_order,
    members_of,
)
from gateway.disclosure.succession import InOrder, Marks, Members, hidden, too_few
from gateway.disclosure.summary import Summary, count, merge
from gateway.disclosure.tripwire import Alarm, Footprint, alarms

__all__ = [
    "DIRECT_COLUMNS",
    "MANY_VALUES",
    "UNIQUE_SHARE",
    "Alarm",
    "Coarser",
    "Directs",
    "Earlier",
    "Examined",
    "Footprint",
    "InOrder",
    "Leak",
    "Marks",
    "Members",
    "OrderedMembers",
    "Profile",
    "Scan",
    "ScanRules",
    "Shape",
    "Summary",
    "Verdict",
    "alarms",
    "assess",
    "count",
    "directs",
    "examine",
    "footprints",
    "hidden",
    "judge",
    "members_in_order",
    "members_of",
    "merge",
    "merge_directs",
    "merge_profiles",
    "no_directs",
    "profile",
    "scan_rules",
    "shape_of",
    "too_few",
    "unsalted",
]
