"""What the world may see of case studies, and what it may ask to be done with them.

The rights of the reader are predicates of each type (`visible`); the services ask the same in Python
(`practices.life.visible`, `practices.versions`), and tests hold both together. What may be seen in all is the table of
`tests/visibility.csv`.
"""

from members.graphql import City
from practices.graphql.lists import CityPractices, PracticeQueries
from practices.graphql.mutations import PracticeMutations
from practices.graphql.reviews import PracticeReviews, Review
from practices.graphql.types import Practice
from wego.core import reads

TYPES = (Practice, Review)


def extend_lower_types() -> None:
    """Add to the types below what belongs to practices. Safe to call again."""
    reads.extend(City, CityPractices)
    reads.extend(Practice, PracticeReviews)


__all__ = ["TYPES", "Practice", "PracticeMutations", "PracticeQueries", "extend_lower_types"]
