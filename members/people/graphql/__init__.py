"""People, posts and invitations, as a reader may see and change them."""

from members.people.graphql.mutations import PeopleMutations
from members.people.graphql.people import Invitation, PeopleQueries, Person
from wego.core.rooms import Exposed

EXPOSED = Exposed(types=(Person, Invitation), queries=(PeopleQueries,), mutations=(PeopleMutations,))
