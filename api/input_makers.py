"""How inputs are made of what graphql-core has read: by functions that are put together once.

Law: what is made is what strawberry makes of the same value; it asks anew for each value which type
an attribute has, which takes most of the time of a large mutation.
"""

from collections.abc import Callable, Mapping

from strawberry.schema.name_converter import NameConverter
from strawberry.types import get_object_definition
from strawberry.types.base import StrawberryList, StrawberryObjectDefinition, StrawberryOptional
from strawberry.types.lazy_type import LazyType

type Make = Callable[[object], object]


class Makers:
    """One for each input type, when it is first wanted: some have themselves among their fields."""

    def __init__(self, names: NameConverter) -> None:
        self._names = names
        self._made: dict[type, Make] = {}

    def install(self, definition: StrawberryObjectDefinition) -> None:
        """Let an input type be made here."""
        make = self._object(definition)
        definition.from_input = lambda _type, value, _context: make(value)

    def _maker(self, kind: object) -> Make | None:
        """None where a value stays as it is: scalars and enums."""
        if isinstance(kind, StrawberryOptional):
            within = self._maker(kind.of_type)
            return within and (lambda value: None if value is None else within(value))
        if isinstance(kind, StrawberryList):
            return _of_list(self._maker(kind.of_type))
        if isinstance(kind, LazyType):
            kind = kind.resolve_type()
        definition = get_object_definition(kind) if isinstance(kind, type) else None
        return None if definition is None else self._object(definition)

    def _object(self, definition: StrawberryObjectDefinition) -> Make:
        origin = definition.origin
        if origin not in self._made:
            fields: list[tuple[str, str, Make | None]] = []

            def make(value: object) -> object:
                assert isinstance(value, Mapping)  # noqa: S101 -- graphql-core has coerced it
                return origin(
                    **{
                        attribute: value[name] if made is None else made(value[name])
                        for name, attribute, made in fields
                        if name in value
                    }
                )

            self._made[origin] = make
            fields += [
                (
                    self._names.from_field(field),
                    field.python_name,
                    self._maker(field.resolve_type(type_definition=definition)),
                )
                for field in definition.fields
            ]
        return self._made[origin]


def _of_list(each: Make | None) -> Make | None:
    if each is None:
        return None
    return lambda value: [each(item) for item in value] if isinstance(value, list) else value
