"""The catalog: what each model takes, costs and is called, as data in `catalog/*.toml`.

A file that does not fit the schema stops the server at start, with the file and the place named.
"""

from __future__ import annotations

import tomllib
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from server.gateway.consistency import inconsistencies
from server.gateway.values import ParameterType, ParameterValue

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = [
    "Auth",
    "Catalog",
    "CatalogError",
    "InputRole",
    "InputSpec",
    "Model",
    "ModelTask",
    "Parameter",
    "ParameterType",
    "ParameterValue",
    "PriceRow",
    "PriceTable",
    "ProtocolKind",
]

_BUILT_IN = Path(__file__).parent / "catalog"


class CatalogError(Exception):
    """A catalog file does not fit the schema. The message names the file and the place."""


class ModelTask(Enum):
    """What a model does."""

    IMAGE_TO_3D = "image_to_3d"
    TEXT_TO_IMAGE = "text_to_image"
    IMAGE_TO_IMAGE = "image_to_image"
    INPAINT = "inpaint"
    TRAIN = "train"


class InputRole(Enum):
    """What an input is to a model."""

    SOURCE = "source"
    MASK = "mask"
    DATASET = "dataset"


class ProtocolKind(Enum):
    """How a model is spoken to."""

    QUEUED = "queued"  # Submit, then poll the universal status endpoint.
    SYNC_URL = "sync_url"  # The answer to the POST holds the result's address.
    BATCH = "batch"  # Submit, then poll an endpoint of the model's own.
    SYNC_BYTES = "sync_bytes"  # The answer to the POST is the result.

    @property
    def answers_at_once(self) -> bool:
        """Whether the answer to the paid request is the result."""
        return self in (ProtocolKind.SYNC_URL, ProtocolKind.SYNC_BYTES)

    @property
    def has_status_path(self) -> bool:
        """Whether the model's file names where to ask."""
        return self is ProtocolKind.BATCH


class Auth(Enum):
    """Which of a provider's keys a model asks for."""

    SUBSCRIPTION_KEY = "subscription_key"  # Pixazo: Ocp-Apim-Subscription-Key.
    SECRET_KEY = "secret_key"  # noqa: S105 - the name of a header's kind. Pixazo: X-Secret-Key.
    API_KEY = "api_key"  # Segmind: x-api-key.


class _Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of everything in a catalog file: a misspelt key is an error, not a default."""


class InputSpec(_Entry, frozen=True):
    """An input by role, with the model's own name for it."""

    role: InputRole
    field: str
    required: bool
    help: str
    media_types: tuple[str, ...] = ()  # Empty: the page does not say.
    as_list: bool = False  # The model wants a list, though it uses one.
    data_uri: bool = False  # Its bytes may stand in the field itself, as a data URI in base64.


class Parameter(_Entry, frozen=True):
    """A parameter as the page describes it."""

    name: str
    type: ParameterType
    help: str
    required: bool = False
    default: ParameterValue | None = None
    allowed: tuple[ParameterValue, ...] = ()
    open: bool = False  # The provider takes values beyond the allowed ones.
    minimum: float | None = None
    maximum: float | None = None


class PriceRow(_Entry, frozen=True):
    """A price and the parameter values it holds for."""

    usd: Decimal
    when: dict[str, ParameterValue] = {}

    def holds(self, parameters: Mapping[str, ParameterValue]) -> bool:
        """Tell whether this row is for these parameters."""
        return all(parameters.get(name) == value for name, value in self.when.items())


class PriceTable(_Entry, frozen=True):
    """The published prices; no rows: none is published."""

    as_of: str  # The day the page was read, YYYY-MM-DD.
    note: str = ""
    rows: tuple[PriceRow, ...] = ()
    # A count, such as of pictures, of which the page does not say whether it multiplies the price.
    may_multiply: str | None = None


class Model(_Entry, frozen=True):
    """A model in the catalog."""

    id: str
    display_name: str
    provider: str
    task: ModelTask
    protocol: ProtocolKind
    auth: Auth
    path: str
    page: str  # The provider's page that this was read from, and the section on it.
    description: str
    prices: PriceTable
    inputs: tuple[InputSpec, ...] = ()
    also_auth: tuple[Auth, ...] = ()  # Sent as well when the server has them.
    status_path: str | None = None
    prompt_field: str | None = None
    requires_prompt: bool = False
    parameters: tuple[Parameter, ...] = ()

    @property
    def auths(self) -> tuple[Auth, ...]:
        """The keys to send."""
        return (self.auth, *self.also_auth)

    def parameter(self, name: str) -> Parameter | None:
        """Return the parameter of this name."""
        return next((one for one in self.parameters if one.name == name), None)

    def input(self, role: InputRole) -> InputSpec | None:
        """Return the input of this role."""
        return next((one for one in self.inputs if one.role is role), None)

    def with_defaults(self, parameters: Mapping[str, ParameterValue]) -> dict[str, ParameterValue]:
        """Return the parameters as the provider will see them."""
        defaults = {one.name: one.default for one in self.parameters if one.default is not None}
        return {**defaults, **parameters}

    def prices_for(self, parameters: Mapping[str, ParameterValue]) -> tuple[Decimal, ...]:
        """Return the published prices that may apply, in US dollars, lowest first.

        None is published for a combination of values that no row is for.
        """
        complete = self.with_defaults(parameters)
        found = {row.usd for row in self.prices.rows if row.holds(complete)}
        times = complete.get(self.prices.may_multiply or "", 1)
        if isinstance(times, int) and times > 1:
            found |= {usd * times for usd in found}
        return tuple(sorted(found))


class Catalog:
    """All models by id."""

    def __init__(self, models: Iterable[Model]) -> None:
        self._models = {model.id: model for model in models}

    @classmethod
    def load(cls, *folders: Path) -> Catalog:
        """Read the built-in catalog and then `folders`; later files replace earlier ones by id.

        Raises:
            CatalogError: A file does not fit the schema.
        """
        files = [file for folder in (_BUILT_IN, *folders) for file in sorted(folder.glob("*.toml"))]
        return cls(_read(file) for file in files)

    def __iter__(self) -> Iterator[Model]:
        return iter(sorted(self._models.values(), key=lambda model: model.id))

    def get(self, model_id: str) -> Model | None:
        """Return the model of this id."""
        return self._models.get(model_id)

    @property
    def ids(self) -> tuple[str, ...]:
        """All ids, sorted."""
        return tuple(sorted(self._models))


def _read(file: Path) -> Model:
    try:
        model = msgspec.convert(tomllib.loads(file.read_text("utf-8")), Model, strict=True)
    except (ValueError, msgspec.ValidationError) as exc:  # No UTF-8, no TOML, or not our schema.
        raise CatalogError(f"{file.name}: {exc}") from exc
    if model.id != file.stem:
        raise CatalogError(f"{file.name}: the id {model.id!r} must be the file's name.")
    problem = next(inconsistencies(model), None)
    if problem is not None:
        raise CatalogError(f"{file.name}: {problem}")
    return model
