"""What the world may see of members, and what it may ask them to do.

The rights of the reader are predicates of each type: `visible` on its rows. A city that is no listed member exists
only for the secretariat and for its own people; persons, invitations and applications only for those who deal with
them.
"""

import strawberry

from members.membership.graphql.applications import Application, ApplicationQueries
from members.membership.graphql.mutations import MembershipMutations
from members.people.graphql.mutations import PeopleMutations
from members.people.graphql.people import Invitation, PeopleQueries, Person
from members.register.graphql.cities import City, CityQueries
from members.register.graphql.mutations import CityMutations

TYPES = (City, Person, Invitation, Application)


@strawberry.type
class MemberQueries(CityQueries, PeopleQueries, ApplicationQueries):
    """The roots for reading."""


@strawberry.type
class MemberMutations(MembershipMutations, PeopleMutations, CityMutations):
    """The roots for writing."""


__all__ = ["TYPES", "City", "MemberMutations", "MemberQueries"]
