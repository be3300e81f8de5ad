"""The steps of a membership as mutations: from the application to the admission, the suspension and the end."""

from __future__ import annotations

import base64
import binascii
from uuid import UUID

import strawberry

from i18n.language.graphql import LanguageTag
from members.membership import applications, membership
from members.membership.applications import LARGEST_FILE, ApplicationForm, Item, Requested, Signatory, Upload
from members.membership.graphql.applications import APPLICATIONS, Application
from members.membership.membership import Decision
from members.membership.models import Application as ApplicationRow
from members.register.graphql.cities import City
from members.register.graphql.keys import key_of, named, organisation_of
from members.register.graphql.organisations import Organisation
from members.register.models import Body, MembershipKind
from wego.core import reads
from wego.core.errors import Conflict, Invalid
from wego.core.writes import Done, Payload, Write, done, edge, thing, verb

_CITY = "This names the city, by its id or its slug; an organisation of another kind is named by `organisation`."
_ORGANISATION = "This names an organisation of any kind, by its id or its slug, instead of `city`."
_WORDS = "This is the language of the texts of this input (BCP 47); without it, it is that of the request."


@strawberry.input(description="A `FileInput` is a file: it must be a PDF, PNG or JPEG of at most 5 MiB.")
class FileInput:
    name: str = strawberry.field(description="This is its name.")
    content: str = strawberry.field(description="This is its content in base64 (RFC 4648 section 4).")


@strawberry.input(
    description=(
        "An `ApplyForMembershipInput` is an application, or the new state of its draft; what is absent is empty."
    )
)
class ApplyForMembershipInput:
    city: strawberry.ID | None = strawberry.field(default=None, description=_CITY)
    organisation: strawberry.ID | None = strawberry.field(default=None, description=_ORGANISATION)
    kind: MembershipKind | None = strawberry.field(
        default=None, description="This says as what it wants to belong; without it, what follows from its kind holds."
    )
    motivation: str | None = strawberry.field(default=None, description="This tells why it wants to be a member.")
    motivation_locale: LanguageTag | None = strawberry.field(default=None, description=_WORDS)
    contact_name: str | None = strawberry.field(
        default=None, description="This is the name of the person whom the secretariat may ask."
    )
    contact_email: str | None = strawberry.field(default=None, description="This is the e-mail address of that person.")
    signatory: Signatory | None = strawberry.field(default=None, description="This says who signed the form.")
    signed_form: FileInput | None = strawberry.field(
        default=None, description="The signed form; absent keeps the one that was sent before."
    )
    official_letter: FileInput | None = strawberry.field(
        default=None, description="An official letter; absent keeps the one that was sent before."
    )


@strawberry.input(description="An `ApplicationInput` names an application.")
class ApplicationInput:
    application: strawberry.ID = strawberry.field(description="This is the application, by its id.")


@strawberry.input(description="An `ApplicationDecisionInput` is a decision about an application, with its reason.")
class ApplicationDecisionInput:
    application: strawberry.ID = strawberry.field(description="This is the application, by its id.")
    reason: str | None = strawberry.field(default=None, description="This is the reason, for the city and for members.")
    locale: LanguageTag | None = strawberry.field(default=None, description=_WORDS)


@strawberry.input(
    description="A `DeclineApplicationInput` says that an application, or an associate, is not accepted, and why."
)
class DeclineApplicationInput:
    application: strawberry.ID = strawberry.field(description="This is the application, by its id.")
    reason: str = strawberry.field(description="This is the reason, which the city reads.")
    body: Body | None = strawberry.field(
        default=None, description="This says who decided: it is the secretariat, unless an associate is declined."
    )
    reference: str | None = strawberry.field(
        default=None, description="This says in which document the decision stands."
    )
    locale: LanguageTag | None = strawberry.field(default=None, description=_WORDS)


@strawberry.input(description="A `RequestedChangeInput` is something that has to be changed.")
class RequestedChangeInput:
    item: Item = strawberry.field(description="This names the item.")
    note: str | None = strawberry.field(default=None, description="This says what is wrong with the item.")


@strawberry.input(
    description="A `RequestApplicationChangesInput` says what has to be changed before an application can be accepted."
)
class RequestApplicationChangesInput:
    application: strawberry.ID = strawberry.field(description="This is the application, by its id.")
    items: list[RequestedChangeInput] = strawberry.field(
        description="These items are missing or wrong; there must be at least one."
    )
    reason: str | None = strawberry.field(default=None, description="This is said to the city besides.")
    locale: LanguageTag | None = strawberry.field(default=None, description=_WORDS)


@strawberry.input(
    description="An `AdmitMemberInput` is the decision of a body that admits one organisation or several."
)
class AdmitMemberInput:
    cities: list[strawberry.ID] | None = strawberry.field(
        default=None, description="These are the cities, by id or slug: all or none are admitted."
    )
    organisations: list[strawberry.ID] | None = strawberry.field(
        default=None, description="These are the organisations of other kinds, by id or slug, beside the cities."
    )
    reference: str = strawberry.field(description="This says in which document the decision stands.")
    body: Body = strawberry.field(default=Body.EXECUTIVE_COMMITTEE, description="This says which body decided.")
    reason: str | None = strawberry.field(default=None, description="This is the reason, for the city and for members.")
    locale: LanguageTag | None = strawberry.field(default=None, description=_WORDS)


@strawberry.input(description="A `SuspendMemberInput` says who is suspended, and why.")
class SuspendMemberInput:
    city: strawberry.ID | None = strawberry.field(default=None, description=_CITY)
    organisation: strawberry.ID | None = strawberry.field(default=None, description=_ORGANISATION)
    reason: str = strawberry.field(description="This is the reason, which members read.")
    body: Body = strawberry.field(default=Body.EXECUTIVE_COMMITTEE, description="This says which body decided.")
    reference: str | None = strawberry.field(
        default=None, description="This says in which document the decision stands."
    )
    locale: LanguageTag | None = strawberry.field(default=None, description=_WORDS)


@strawberry.input(description="A `ReinstateMemberInput` says whose suspension ends.")
class ReinstateMemberInput:
    city: strawberry.ID | None = strawberry.field(default=None, description=_CITY)
    organisation: strawberry.ID | None = strawberry.field(default=None, description=_ORGANISATION)
    reason: str | None = strawberry.field(default=None, description="This is the reason, which members read.")
    body: Body = strawberry.field(default=Body.EXECUTIVE_COMMITTEE, description="This says which body decided.")
    reference: str | None = strawberry.field(
        default=None, description="This says in which document the decision stands."
    )
    locale: LanguageTag | None = strawberry.field(default=None, description=_WORDS)


@strawberry.input(description="A resignation: six months after this notice the membership ends.")
class ResignMembershipInput:
    city: strawberry.ID | None = strawberry.field(default=None, description=_CITY)
    organisation: strawberry.ID | None = strawberry.field(default=None, description=_ORGANISATION)
    notice: str = strawberry.field(description="This is the text of the written notice.")
    locale: LanguageTag | None = strawberry.field(default=None, description=_WORDS)


@strawberry.type(description="An application after it was changed or decided.")
class ApplicationPayload(Payload):
    application: Application | None = thing(
        "application", "This is the application after the step; it is null when nothing was done."
    )
    application_edge: reads.Edge[Application] | None = edge(
        "application",
        "This is the application as an edge of lists in their usual order; it is null when nothing was done.",
        APPLICATIONS,
    )
    city: City | None = thing(
        "city", "This is the city with its membership after the step; it is null when nothing was done."
    )
    organisation: Organisation | None = thing(
        "organisation",
        "This is the organisation, whatever its kind, with its membership after the step; it is null when nothing was "
        "done.",
    )


@strawberry.type(description="A `MemberPayload` shows a member after a decision about it.")
class MemberPayload(Payload):
    city: City | None = thing(
        "city", "This is the city with its membership after the step; it is null when nothing was done."
    )
    organisation: Organisation | None = thing(
        "organisation",
        "This is the organisation, whatever its kind, with its membership after the step; it is null when nothing was "
        "done.",
    )


@strawberry.type(description="An `AdmitMemberPayload` shows the members after the decision that admitted them.")
class AdmitMemberPayload(Payload):
    city: City | None = thing(
        "city", "This is the first of the cities, with its membership after the step; it is null when nothing was done."
    )
    cities: list[City] = reads.many(
        "{t}.id = any(string_to_array({p}.keys->>'organisations', ',')::uuid[])",
        "These are the cities among them, sorted by their English names.",
        order="{t}.sort_name, {t}.id",
    )
    organisations: list[Organisation] = reads.many(
        "{t}.id = any(string_to_array({p}.keys->>'organisations', ',')::uuid[])",
        "These are all of them, sorted by their English names.",
        order="{t}.sort_name, {t}.id",
    )


def _decision(
    write: Write,
    reason: str | None,
    locale: str | None,
    *,
    body: Body | None = None,
    reference: str | None = None,
) -> Decision:
    return Decision(reason or "", reference or "", body, locale or write.locale)


async def _open(write: Write, given: str) -> UUID:
    """The city of an application that is still to be decided."""
    return (await _application(write, given, decided=False)).organisation_id


async def _application(write: Write, given: str, *, decided: bool) -> ApplicationRow:
    key = key_of(given, "Application", "input", "application")
    application = await applications.by_id(write.db, write.actor, key)
    if application.decided_at is not None and not decided:
        raise Conflict(
            "This application has been decided: {state}.", path=("input", "application"), state=application.status.value
        )
    return application


async def apply_for_membership(write: Write, input: ApplyForMembershipInput) -> Done:
    key = await named(write.db, write.actor, input.organisation, input.city)
    form = ApplicationForm(
        kind=input.kind,
        motivation=input.motivation or "",
        motivation_locale=input.motivation_locale or write.locale,
        contact_name=input.contact_name or "",
        contact_email=input.contact_email or "",
        signatory=input.signatory,
        signed_form=_upload(input.signed_form, "signedForm"),
        official_letter=_upload(input.official_letter, "officialLetter"),
    )
    application = await membership.apply(write.db, write.actor, key, form)
    return done(application=application.id, city=key, organisation=key)


def _upload(given: FileInput | None, field: str) -> Upload | None:
    if given is None:
        return None
    path = ("input", field, "content")
    if len(given.content) > LARGEST_FILE * 4 // 3 + 4:
        raise Invalid("This file is too large: at most {limit} MiB.", path=path, limit=LARGEST_FILE // 2**20)
    try:
        return Upload(given.name, base64.b64decode(given.content.encode("ascii"), validate=True))
    except (UnicodeError, binascii.Error):
        raise Invalid("The content of a file is base64.", path=path) from None


async def submit_application(write: Write, input: ApplicationInput) -> Done:
    key = await _open(write, input.application)
    await membership.submit(write.db, write.actor, key)
    return _done(input.application, key)


def _done(application: str, key: UUID) -> Done:
    return done(application=key_of(application, "Application"), city=key, organisation=key)


async def start_application_check(write: Write, input: ApplicationInput) -> Done:
    key = await _open(write, input.application)
    await membership.start_check(write.db, write.actor, key)
    return _done(input.application, key)


async def request_application_changes(write: Write, input: RequestApplicationChangesInput) -> Done:
    key = await _open(write, input.application)
    requested = [Requested(each.item, each.note or "") for each in input.items]
    decision = _decision(write, input.reason, input.locale)
    await membership.request_changes(write.db, write.actor, key, requested, decision)
    return _done(input.application, key)


async def accept_application(write: Write, input: ApplicationDecisionInput) -> Done:
    key = await _open(write, input.application)
    await membership.accept(write.db, write.actor, key, _decision(write, input.reason, input.locale))
    return _done(input.application, key)


async def decline_application(write: Write, input: DeclineApplicationInput) -> Done:
    """Also an associate is declined through the application with which it came."""
    application = await _application(write, input.application, decided=True)
    if application.decided_at is not None:
        await applications.require_latest(write.db, application)
    decision = _decision(write, input.reason, input.locale, body=input.body, reference=input.reference)
    await membership.decline(write.db, write.actor, application.organisation_id, decision)
    return _done(input.application, application.organisation_id)


async def withdraw_application(write: Write, input: ApplicationDecisionInput) -> Done:
    key = await _open(write, input.application)
    await membership.withdraw(write.db, write.actor, key, _decision(write, input.reason, input.locale))
    return _done(input.application, key)


async def admit_member(write: Write, input: AdmitMemberInput) -> Done:
    keys = [
        await organisation_of(write.db, write.actor, given, "input", path, at)
        for path, names in (("cities", input.cities), ("organisations", input.organisations))
        for at, given in enumerate((names or [])[: membership.BATCH_LIMIT + 1])
    ]
    decision = _decision(write, input.reason, input.locale, body=input.body, reference=input.reference)
    await membership.admit(write.db, write.actor, keys, decision)
    return done(city=keys[0], organisations=",".join(str(key) for key in keys))


async def suspend_member(write: Write, input: SuspendMemberInput) -> Done:
    key = await named(write.db, write.actor, input.organisation, input.city)
    decision = _decision(write, input.reason, input.locale, body=input.body, reference=input.reference)
    await membership.suspend(write.db, write.actor, key, decision)
    return done(city=key, organisation=key)


async def reinstate_member(write: Write, input: ReinstateMemberInput) -> Done:
    key = await named(write.db, write.actor, input.organisation, input.city)
    decision = _decision(write, input.reason, input.locale, body=input.body, reference=input.reference)
    await membership.reinstate(write.db, write.actor, key, decision)
    return done(city=key, organisation=key)


async def resign_membership(write: Write, input: ResignMembershipInput) -> Done:
    key = await named(write.db, write.actor, input.organisation, input.city)
    await membership.resign(write.db, write.actor, key, _decision(write, input.notice, input.locale))
    return done(city=key, organisation=key)


@strawberry.type
class MembershipMutations:
    apply_for_membership: ApplicationPayload = verb(
        apply_for_membership,
        "This begins the application of an organisation, or changes its draft; its head or CIO may do it.",
    )
    submit_application: ApplicationPayload = verb(
        submit_application, "This hands in an application, which must be complete."
    )
    start_application_check: ApplicationPayload = verb(
        start_application_check, "This begins the check of an application; the secretariat may do it."
    )
    request_application_changes: ApplicationPayload = verb(
        request_application_changes,
        "This sends an application back and says what has to be changed; the secretariat may do it.",
    )
    accept_application: ApplicationPayload = verb(
        accept_application,
        "This accepts the application of a city, which is an associate from now on; the secretariat may do it.",
    )
    decline_application: ApplicationPayload = verb(
        decline_application,
        "This declines an application, or the admission of an associate; the secretariat may do it.",
    )
    withdraw_application: ApplicationPayload = verb(
        withdraw_application,
        "This takes an application back before it is decided; the head or CIO of the city may do it.",
    )
    admit_member: AdmitMemberPayload = verb(
        admit_member,
        "This records the decision of a body that admits one organisation or several; the secretariat may do it.",
    )
    suspend_member: MemberPayload = verb(
        suspend_member, "This suspends a member; the secretariat may do it.", ahead=True
    )
    reinstate_member: MemberPayload = verb(
        reinstate_member, "This ends a suspension; the secretariat may do it.", ahead=True
    )
    resign_membership: MemberPayload = verb(
        resign_membership, "This gives the notice of a member; the head of the city may do it."
    )
