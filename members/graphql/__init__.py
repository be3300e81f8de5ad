"""What the world may see of members, and what it may ask them to do.

The rights of the reader are predicates of each type: `visible` on its rows. A city that is no listed member exists
only for the secretariat and for its own people; persons, invitations and applications only for those who deal with
them.
"""

import strawberry

from members.graphql.applications import Application, ApplicationQueries
from members.graphql.cities import City, CityQueries, OrderDirection
from members.graphql.city_mutations import CityMutations
from members.graphql.membership_mutations import MembershipMutations
from members.graphql.people import Invitation, PeopleQueries, Person
from members.graphql.people_mutations import PeopleMutations

TYPES = (City, Person, Invitation, Application)


@strawberry.type
class MemberQueries(CityQueries, PeopleQueries, ApplicationQueries):
    """The roots for reading."""


@strawberry.type
class MemberMutations(MembershipMutations, PeopleMutations, CityMutations):
    """The roots for writing."""


__all__ = ["TYPES", "City", "MemberMutations", "MemberQueries", "OrderDirection"]
