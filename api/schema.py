"""The schema as one value, and as the text that is the promise.

Law: `schema.graphql` in the repository is exactly what `text()` gives.
"""

from datetime import datetime

import strawberry
from graphql import GraphQLSchema
from strawberry.schema.config import StrawberryConfig
from strawberry.types.base import StrawberryObjectDefinition

from api.changes import Change
from api.connections import EnvironmentConnection
from api.environments import Environment
from api.filters import DefaultTemplate, SyncFilter
from api.input_makers import Makers
from api.mutations import Mutation
from api.queries import Query
from api.refusals import (
    CannotBeRestored,
    ChangedMeanwhile,
    DirectionNotSettable,
    FilterNotValid,
    NotPermitted,
    Refused,
    WarningNotAcknowledged,
)
from api.scalars import DATE_TIME
from api.settings import FieldMapping, MailingAddressesSetting, Switch
from api.subscriptions import AccessChanged, ChangeSetAppended, Heartbeat, Lagged, Subscription
from api.tab import SynchronizationSettings

SCHEMA = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    types=[
        AccessChanged,
        Change,
        ChangeSetAppended,
        ChangedMeanwhile,
        DefaultTemplate,
        CannotBeRestored,
        DirectionNotSettable,
        Environment,
        EnvironmentConnection,
        FieldMapping,
        FilterNotValid,
        Heartbeat,
        Lagged,
        MailingAddressesSetting,
        NotPermitted,
        Refused,
        Switch,
        SyncFilter,
        SynchronizationSettings,
        WarningNotAcknowledged,
    ],
    config=StrawberryConfig(scalar_map={datetime: DATE_TIME}),
)

_MAKERS = Makers(SCHEMA.config.name_converter)
for _each in SCHEMA.schema_converter.type_map.values():
    if isinstance(_each.definition, StrawberryObjectDefinition) and _each.definition.is_input:
        _MAKERS.install(_each.definition)


def executable() -> GraphQLSchema:
    """What graphql-core runs. Strawberry has no public name for it."""
    return SCHEMA._schema  # noqa: SLF001


def text() -> str:
    """The schema in the schema definition language, ending in a line feed."""
    return f"{SCHEMA.as_str()}\n"
