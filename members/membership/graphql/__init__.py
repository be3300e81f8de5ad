"""Applications and decisions about membership, as a reader may see and take them."""

from members.membership.graphql.applications import Application, ApplicationQueries
from members.membership.graphql.mutations import MembershipMutations
from wego.core.rooms import Exposed

EXPOSED = Exposed(types=(Application,), queries=(ApplicationQueries,), mutations=(MembershipMutations,))
