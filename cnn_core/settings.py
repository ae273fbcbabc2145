"""What an operator may set, from environment variables named CNN_PLAYGROUND_<FIELD>; every default works."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "CNN_PLAYGROUND_"


class Settings(BaseSettings):
    """Folders, database and limits."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    home: Path = Field(Path.home() / ".cnn-playground", description="Folder for data sets, runs and the database.")
    database_url: str = Field("", description="SQLAlchemy URL of the run store; empty means SQLite in `home`.")
    dataset_folders: tuple[Path, ...] = Field(
        (Path("/usr/share/datasets/fashion-mnist"),),
        description="Read-only folders searched for original data set files before downloading.",
    )
    devices: str = Field("auto", description="Devices to train on, comma separated: auto, cpu, cuda:0, mps.")
    threads: int = Field(0, ge=0, le=1024, description="CPU threads of a worker; 0 means one per core.")
    upload_megabytes: int = Field(20, ge=1, le=2000, description="Largest single picture accepted, in MB.")
    upload_files: int = Field(64, ge=1, le=10000, description="Most pictures accepted at once.")
    upload_megapixels: int = Field(50, ge=1, le=1000, description="Largest picture accepted, in million pixels.")
    import_folders: tuple[Path, ...] = Field(
        (), description="Folders of this computer whose pictures pages may import; empty means none."
    )
    import_files: int = Field(50_000, ge=1, le=10_000_000, description="Most files and folders in an imported archive.")
    import_megabytes: int = Field(4000, ge=1, description="Most that an imported archive may unpack to, in MB.")
    import_ratio: int = Field(
        200,
        ge=1,
        description="Most bytes one byte of an archive may unpack to, above 1 MB; pictures hardly pack at all.",
    )
    import_classes: int = Field(1000, ge=2, le=100_000, description="Most classes of an imported data set.")
    snapshot_megabytes: int = Field(200, ge=1, description="Disk a run may use for its per-epoch weights, in MB.")

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
    """The settings as the environment has them now."""
    return _read(tuple(item for item in os.environ.items() if item[0].startswith(PREFIX)))


@lru_cache(maxsize=8)
def _read(environment: tuple[tuple[str, str], ...]) -> Settings:
    return Settings()
