"""Networks that people saved under a name: rows beside the runs, with layers of their own. Needs no torch."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, defer

from cnn_core.errors import PlaygroundError, TakenNameError, UnknownNameError
from cnn_core.recipe import LayerSpec
from cnn_core.runs.clock import unix_now
from cnn_core.runs.store import NAME_LENGTH, one_line, store
from cnn_core.runs.tables import Network
from cnn_core.runs.transactions import Transactions
from cnn_core.runs.worker_store import next_number
from cnn_core.saved_networks import digest_of

MOST_NETWORKS = 1000
LAYERS_BYTES = 200_000  # of the layers' JSON
OWNER_LENGTH, TEACHES_LENGTH = 64, 300
NUMBERS = "networks"  # the counter of their ids; its row is the lock that lets one person save at a time


class NetworkStore(Transactions):
    """Every method is one short transaction, on the connections of the run store."""

    def __init__(self, runs: Transactions):
        self._engine, self._writer = runs._engine, runs._writer

    def save(
        self, name: str, layers: Sequence[LayerSpec], *, owner: str = "", image_size: int = 0, teaches: str = ""
    ) -> int:
        """A new network; returns its id. `image_size`: side in pixels of the images it is meant for, 0 for any.

        Raises TakenNameError for a name that is taken, PlaygroundError for texts or layers that are too long and
        where there are MOST_NETWORKS already.
        """
        network = Network(name=_name(name), owner=_text(owner, OWNER_LENGTH, "A name"), image_size=image_size)
        network.teaches = _text(teaches, TEACHES_LENGTH, "The sentence on what it teaches")
        network.name_key, network.created, network.changed = _key(network.name), unix_now(), unix_now()
        network.layers_json, network.digest = _json(layers), digest_of(layers)
        try:
            with self._write() as session:
                network.id = next_number(session, NUMBERS)
                _require_free(session, network.name, network.name_key)
                if (session.scalar(select(func.count()).select_from(Network)) or 0) >= MOST_NETWORKS:
                    raise PlaygroundError(f"There are {MOST_NETWORKS:,} saved networks already. Delete one first.")
                session.add(network)
                session.flush()
                number = network.id
        except IntegrityError:  # renamed by somebody else in between
            raise TakenNameError(_taken(network.name, ""), 0) from None
        return number

    def replace(self, network_id: int, layers: Sequence[LayerSpec], image_size: int = 0) -> None:
        """Other layers under the same name. Raises UnknownNameError, and PlaygroundError for too many of them."""
        self._change(network_id, layers_json=_json(layers), digest=digest_of(layers), image_size=image_size)

    def rename(self, network_id: int, name: str) -> None:
        """Raises UnknownNameError for a network that is gone, TakenNameError for a name that another one has."""
        cleaned = _name(name)
        key = _key(cleaned)
        try:
            with self._write() as session:
                _require_free(session, cleaned, key, network_id)
                _update(session, network_id, name=cleaned, name_key=key)
        except IntegrityError:
            raise TakenNameError(_taken(cleaned, ""), 0) from None

    def delete(self, network_id: int) -> None:
        """Runs that used it keep their layers. Nothing happens where it is gone already."""
        with self._write() as session:
            session.execute(delete(Network).where(Network.id == network_id))

    def get(self, network_id: int) -> Network:
        """With its layers. Raises UnknownNameError."""
        with self._read() as session:
            network = session.get(Network, network_id)
        if network is None:
            raise UnknownNameError(GONE)
        return network

    def all(self) -> list[Network]:
        """By name, without their layers: those may be 200 MB."""
        query = select(Network).options(defer(Network.layers_json, raiseload=True))
        with self._read() as session:
            return sorted(session.scalars(query), key=lambda network: (network.name.casefold(), network.id))

    def _change(self, network_id: int, **values: Any) -> None:
        with self._write() as session:
            _update(session, network_id, **values)


GONE = "This saved network is gone: somebody deleted it. Choose another one."


def networks() -> NetworkStore:
    """The saved networks of the run store that the settings name."""
    return NetworkStore(store())


def _update(session: Session, network_id: int, **values: Any) -> None:
    changed = update(Network).where(Network.id == network_id).values(changed=unix_now(), **values)
    if session.execute(changed).rowcount != 1:  # type: ignore[attr-defined]
        raise UnknownNameError(GONE)


def _require_free(session: Session, name: str, key: str, but: int = 0) -> None:
    other = session.execute(select(Network.id, Network.owner).where(Network.name_key == key, Network.id != but)).first()
    if other:
        raise TakenNameError(_taken(name, other.owner), other.id)


def _taken(name: str, owner: str) -> str:
    by = f", saved by {owner}" if owner else ""
    return f"There is a network called {name} already{by}. Choose another name."


def _name(name: str) -> str:
    cleaned = _text(name, NAME_LENGTH, "A network's name")
    if not cleaned:
        raise PlaygroundError("A network needs a name: type at least one visible character.")
    return cleaned


def _text(text: str, longest: int, what: str) -> str:
    cleaned = one_line(text)
    if len(cleaned) > longest:
        raise PlaygroundError(f"{what} has at most {longest} characters, not {len(cleaned):,}.")
    return cleaned


def _key(name: str) -> str:
    """Equal for names that differ in case or in the way a character is composed only. A digest, as databases differ in
    which texts are equal to them and in how long one with an index may be."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return hashlib.sha256(folded.encode()).hexdigest()


def _json(layers: Sequence[LayerSpec]) -> str:
    text = json.dumps([layer.model_dump(mode="json") for layer in layers], separators=(",", ":"))
    if len(text) > LAYERS_BYTES:
        raise PlaygroundError(
            f"The layers of this network take {len(text) / 1000:,.0f} kB; at most {LAYERS_BYTES / 1000:,.0f} kB can be "
            "saved. Repeat a group of layers instead of writing each of them out."
        )
    return text
