"""What the world may see of case studies, and what it may ask to be done with them.

The rights of the reader are predicates beside the nouns (`practices.cases.reach`), through which services reach a thing
as well. What may be seen in all is the table of `tests/visibility.csv`.
"""

import strawberry

from members.register.graphql.cities import City
from practices.cases.graphql import mutations
from practices.cases.graphql.lists import CityPractices, PracticeQueries
from practices.cases.graphql.types import Practice
from practices.reviews.graphql.mutations import ReviewMutations
from practices.reviews.graphql.types import PracticeReviews, Review
from wego.core import reads

TYPES = (Practice, Review)


@strawberry.type
class PracticeMutations(mutations.PracticeMutations, ReviewMutations):
    """The roots for writing."""


def extend_lower_types() -> None:
    """Add to the types below what belongs to practices. Safe to call again."""
    reads.extend(City, CityPractices)
    reads.extend(Practice, PracticeReviews)


__all__ = ["TYPES", "Practice", "PracticeMutations", "PracticeQueries", "extend_lower_types"]
