"""What every section of the settings is: typed, frozen, and without a name nobody knows."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A section of the settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)
