"""A bad environment variable is one sentence: its name, its value and what is valid."""

from pathlib import Path

import pytest

from cnn_core.errors import SettingError
from cnn_core.settings import Settings, settings

WHOLE = [(name, field) for name, field in Settings.model_fields.items() if field.annotation is int]
FOLDERS = ("dataset_folders", "import_folders")


@pytest.mark.parametrize("name", [name for name, _ in WHOLE])
@pytest.mark.parametrize("value", ["abc", "-1", "1.5", "9" * 5000, "ü"])
def test_a_number_that_is_none_or_out_of_range(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    variable = f"CNN_PLAYGROUND_{name.upper()}"
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingError) as caught:
        settings()
    assert f"{variable} is '{value[:60]}" in str(caught.value)
    assert "a whole number" in str(caught.value)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize(("name", "field"), WHOLE)
def test_limits_are_valid_themselves(monkeypatch: pytest.MonkeyPatch, name: str, field: object) -> None:
    limits = {type(rule).__name__: rule for rule in field.metadata}  # type: ignore[attr-defined]
    low = limits["Ge"].ge
    monkeypatch.setenv(f"CNN_PLAYGROUND_{name.upper()}", str(low))
    assert getattr(settings(), name) == low
    if "Le" in limits:
        monkeypatch.setenv(f"CNN_PLAYGROUND_{name.upper()}", str(limits["Le"].le + 1))
        with pytest.raises(SettingError, match=f"from {low:,} to {limits['Le'].le:,}"):
            settings()


@pytest.mark.parametrize("name", FOLDERS)
@pytest.mark.parametrize("value", ["/srv/images", "5", '["a', "{}", "[1]", "[" * 100_000, '{"a":' * 20_000])
def test_a_folder_list_that_is_none(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"CNN_PLAYGROUND_{name.upper()}", value)
    with pytest.raises(SettingError, match=r"_FOLDERS is '.*': it has to be a JSON list of folders such as \["):
        settings()


@pytest.mark.parametrize("value", ["banana", ",", "cuda:", "cpu,,cpu", "cuda:x", "auto cpu"])
def test_devices_that_are_none(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("CNN_PLAYGROUND_DEVICES", value)
    with pytest.raises(SettingError, match=r"DEVICES is '.*': it has to be auto, cpu"):
        settings()


@pytest.mark.parametrize("value", ["auto", "cpu", "mps", "cuda", "cuda:0", "cuda:0, cuda:1", "cpu,cpu"])
def test_devices(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("CNN_PLAYGROUND_DEVICES", value)
    assert settings().devices == value


def test_every_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNN_PLAYGROUND_THREADS", "abc")
    monkeypatch.setenv("CNN_PLAYGROUND_UPLOAD_FILES", "0")
    with pytest.raises(SettingError, match=r"THREADS is 'abc'.*UPLOAD_FILES is '0'"):
        settings()


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.setenv(f"CNN_PLAYGROUND_{name.upper()}", "")
    assert settings().home.name == ".cnn-playground"
    assert settings().threads == 0


def test_the_tilde_of_a_home_is_a_persons_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("CNN_PLAYGROUND_HOME", "~/playground")
    assert settings().home == tmp_path / "playground"


def test_an_account_without_a_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("CNN_PLAYGROUND_HOME", raising=False)
    monkeypatch.setattr("cnn_core.settings.Path.home", homeless)
    monkeypatch.setenv("CNN_PLAYGROUND_THREADS", "3")  # so that no earlier reading of the same environment answers
    with pytest.raises(SettingError, match="set CNN_PLAYGROUND_HOME to a folder"):
        settings()
