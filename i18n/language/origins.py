"""How a text came to be."""

from wego.core.vocabulary import N_, Vocabulary


class Origin(Vocabulary):
    """How a text came to be. ORIGINAL is the source itself."""

    ORIGINAL = "original", "The text is the original itself.", N_("original")
    HUMAN = "human", "A person translated the text.", N_("translated by a person")
    MACHINE = "machine", "A machine translated the text, and no person has read it over.", N_("translated by a machine")
    MACHINE_POST_EDITED = (
        "machine_post_edited",
        "A machine translated the text, and a person has read it over.",
        N_("translated by a machine and read over"),
    )
    IMPORTED = (
        "imported",
        "The translation was taken from elsewhere, and nothing more is known of how it was made.",
        N_("imported"),
    )
