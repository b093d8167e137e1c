"""Streets, towns and schools of a borough that is on no map.

Source: domain research 11.3; the postcode areas ZA to ZD were never allocated.
"""

from __future__ import annotations

from gateway.synth.draw import listed

STREET_STEMS: tuple[str, ...] = listed(
    "High Station Church Victoria Park Mill Queen King Albert Chapel Green School Manor"
    " Moorside Canal Wharf Bridge Hawthorn Laburnum Sycamore Beech Oak Elm Ash Rowan Maple"
    " Willow Cedar Holly Ivy Bramble Heather Fern Meadow Orchard Garden Grange Abbey Priory"
    " Castle Tower Market Cross Well Spring Brook River Weir Quarry Colliery Foundry"
    " Weaver Spinner Loom Bobbin Dyer Fuller Tanner Cooper Fletcher Sawyer Mason Gladstone"
    " Disraeli Peel Cobden Bright Wellington Nelson Trafalgar Waterloo Alma Balmoral"
    " Windsor Sandringham Buckingham Clarence Cambridge Oxford Derby Lancaster York Chester"
    " Carlisle Durham Lincoln Warwick Stafford Rutland Cromwell Milton Shelley Byron Keats"
    " Tennyson Dickens Austen Bronte Gaskell Ruskin Brunel Stephenson Telford Arkwright"
) + listed("St_Mary's St_John's Quaker's Carr's Long_Acre")

STREET_KINDS: tuple[str, ...] = (
    "Road",
    "Street",
    "Avenue",
    "Close",
    "Lane",
    "Drive",
    "Grove",
    "Crescent",
    "Terrace",
    "Way",
    "Court",
    "Place",
)

# What a clerk in a hurry writes for the kind of street.
STREET_SHORT: tuple[tuple[str, str], ...] = (
    (" Road", " Rd"),
    (" Street", " St"),
    (" Avenue", " Ave"),
    (" Drive", " Dr"),
    (" Lane", " Ln"),
    (" Crescent", " Cres"),
)

TOWNS: tuple[str, ...] = (
    "Zedbury",
    "Zedham Bridge",
    "Upper Zeals",
    "Zoarby",
    "Zennor Vale",
    "Zelston Green",
    "Zincthwaite",
    "Zealbridge",
    "Zouch Moor",
    "Zetland-on-Tame",
    "Zillwood",
    "Zeal Priors",
    "Zander's Cross",
    "Great Zarley",
    "Little Zarley",
)

# Children's names of care homes, hostels and refuges stay out: a communal place has a street too.
COMMUNAL_STREETS: tuple[str, ...] = ("Almshouse Yard", "Foyer Court", "Lodge Gate", "Haven Walk")
