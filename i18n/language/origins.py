"""How a text came to be."""

from enum import StrEnum


class Origin(StrEnum):
    """How a text came to be. ORIGINAL is the source itself."""

    ORIGINAL = "original"
    HUMAN = "human"
    MACHINE = "machine"
    MACHINE_POST_EDITED = "machine_post_edited"
    IMPORTED = "imported"
