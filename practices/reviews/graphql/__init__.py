"""Reviews, as those who take part in them may see and write them."""

from practices.cases.graphql.types import Practice
from practices.reviews.graphql.mutations import ReviewMutations
from practices.reviews.graphql.types import PracticeReviews, Review
from wego.core.rooms import Exposed

EXPOSED = Exposed(types=(Review,), mutations=(ReviewMutations,), additions={Practice: PracticeReviews})
