"""Organisations, the cities among them and their membership, as the world may see and change them."""

from members.register.graphql.cities import City, CityQueries
from members.register.graphql.mutations import RegisterMutations
from members.register.graphql.organisations import Organisation, OrganisationQueries
from wego.core.rooms import Exposed

EXPOSED = Exposed(
    types=(City, Organisation), queries=(OrganisationQueries, CityQueries), mutations=(RegisterMutations,)
)
