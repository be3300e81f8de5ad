"""Case studies, as the world may see and change them."""

from members.register.graphql.cities import City
from practices.cases.graphql.changes import ChangeQueries
from practices.cases.graphql.keeping import KeepingMutations
from practices.cases.graphql.lists import CityPractices, PracticeQueries
from practices.cases.graphql.mutations import PracticeMutations
from practices.cases.graphql.types import Practice
from wego.core.rooms import Exposed

EXPOSED = Exposed(
    types=(Practice,),
    queries=(PracticeQueries, ChangeQueries),
    mutations=(PracticeMutations, KeepingMutations),
    additions={City: CityPractices},
)
