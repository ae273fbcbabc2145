"""What an operator may set, from environment variables named CNN_PLAYGROUND_<FIELD>; every default works."""

from __future__ import annotations

import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from cnn_core.errors import SettingError

PREFIX = "CNN_PLAYGROUND_"
DEVICE = r"\s*(auto|cpu|mps|cuda(:\d{1,3})?)\s*"
LONGEST_SHOWN = 60  # characters of a value in a sentence
Folders = Annotated[tuple[Path, ...], NoDecode]
FOLDER_LIST = 'a JSON list of folders such as ["/srv/images"]'
VALID = {
    "home": "a folder",
    "devices": "auto, cpu, mps, cuda or cuda:0, or several of them with commas between",
    "dataset_folders": FOLDER_LIST,
    "import_folders": FOLDER_LIST,
}


def _default_home() -> Path:
    try:
        return Path.home() / ".cnn-playground"
    except RuntimeError:  # some containers
        raise SettingError(
            f"This account has no home folder: set {PREFIX}HOME to a folder for data sets, runs and the database."
        ) from None


class Settings(BaseSettings):
    """Folders, database and limits. An empty variable counts as not set."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, env_ignore_empty=True)

    home: Path = Field(default_factory=_default_home, description="Folder for data sets, runs and the database.")
    database_url: str = Field("", description="SQLAlchemy URL of the run store; empty means SQLite in `home`.")
    dataset_folders: Folders = Field(
        (Path("/usr/share/datasets/fashion-mnist"),),
        description="Read-only folders searched for original data set files before downloading.",
    )
    devices: str = Field(
        "auto",
        pattern=rf"^{DEVICE}(,{DEVICE})*$",
        description="Devices to train on, comma separated: auto, cpu, cuda:0, mps.",
    )
    threads: int = Field(
        0, ge=0, le=1024, description="CPU threads of a worker, at most its cores; 0 means one per core."
    )
    upload_megabytes: int = Field(20, ge=1, le=2000, description="Largest single image accepted, in MB.")
    upload_files: int = Field(64, ge=1, le=10000, description="Most images accepted at once.")
    upload_megapixels: int = Field(50, ge=1, le=1000, description="Largest image accepted, in million pixels.")
    visitor_megabytes: int = Field(
        2000, ge=1, description="Most that one visitor (a browser's session) may have waiting for an import, in MB."
    )
    decode_megabytes: int = Field(
        500, ge=10, description="Memory for all images a process decodes at the same time, in MB."
    )
    import_folders: Folders = Field(
        (), description="Folders of this computer whose images pages may import; empty means none."
    )
    import_files: int = Field(50_000, ge=1, le=10_000_000, description="Most files and folders in an imported archive.")
    import_megabytes: int = Field(4000, ge=1, description="Most that an imported archive may unpack to, in MB.")
    import_ratio: int = Field(
        200,
        ge=1,
        description="Most bytes one byte of an archive may unpack to, above 1 MB; images hardly pack at all.",
    )
    import_classes: int = Field(1000, ge=2, le=100_000, description="Most classes of an imported data set.")
    feature_megabytes: int = Field(
        4000,
        ge=0,
        description="Most that the features of the images of a run, computed once by frozen layers, may take while it "
        "trains, in MB; above 256 MB they lie on the disk. A run that needs more computes them anew at each step.",
    )
    snapshot_megabytes: int = Field(
        200,
        ge=1,
        description="Disk a run may use for its weights and its resume state, in MB. Where that is too little, only "
        "the weights of the first, the last and the best epoch are kept.",
    )

    @field_validator("home")
    @classmethod
    def _expand(cls, home: Path) -> Path:
        return Path(os.path.expanduser(home))

    @field_validator("dataset_folders", "import_folders", mode="before")
    @classmethod
    def _from_json(cls, value: Any) -> Any:
        try:
            return json.loads(value) if isinstance(value, str) else value
        except RecursionError:
            raise ValueError("brackets inside brackets") from None

    @property
    def store_url(self) -> str:
        """The URL the run store connects to."""
        return self.database_url or f"sqlite:///{self.home / 'playground.db'}"

    @property
    def datasets(self) -> Path:
        """Folder of imported data sets, one folder each."""
        return self.home / "datasets"

    @property
    def downloads(self) -> Path:
        """Folder of original files, in the layout torchvision uses; a person may put files here by hand."""
        return self.home / "downloads"

    @property
    def runs(self) -> Path:
        """Folder of run folders, one a run."""
        return self.home / "runs"


def settings() -> Settings:
    """The settings as the environment has them now. Raises SettingError: the variable, its value and what is valid."""
    return _read(tuple(item for item in os.environ.items() if item[0].startswith(PREFIX)))


@lru_cache(maxsize=8)
def _read(environment: tuple[tuple[str, str], ...]) -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        wrong = dict.fromkeys(str(problem["loc"][0]) for problem in error.errors())
        raise SettingError(" ".join(map(_sentence, wrong))) from None


def _sentence(name: str) -> str:
    variable = f"{PREFIX}{name.upper()}"
    value = os.environ.get(variable, "")
    shown = repr(value if len(value) <= LONGEST_SHOWN else f"{value[:LONGEST_SHOWN]}…")
    return f"{variable} is {shown}: it has to be {_valid(name)}. Correct it, or unset it for the default."


def _valid(name: str) -> str:
    limits = {type(rule).__name__: rule for rule in Settings.model_fields[name].metadata}
    if name in VALID:
        return VALID[name]
    if "Le" in limits:
        return f"a whole number from {limits['Ge'].ge:,} to {limits['Le'].le:,}"
    return f"a whole number, at least {limits['Ge'].ge}"
