"""Cities and their membership, as the world may see and change them."""

from members.register.graphql.cities import City, CityQueries
from members.register.graphql.mutations import CityMutations
from wego.core.rooms import Exposed

EXPOSED = Exposed(types=(City,), queries=(CityQueries,), mutations=(CityMutations,))
