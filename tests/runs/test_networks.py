"""Saved networks: names, limits, and what happens when people do the same thing at the same time."""

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import text

from cnn_core.errors import PlaygroundError, RecipeError, TakenNameError, UnknownNameError
from cnn_core.recipe import LayerSpec, NetworkSpec, Recipe
from cnn_core.runs import networks as networks_module
from cnn_core.runs.networks import LAYERS_BYTES, MOST_NETWORKS, NetworkStore, networks
from cnn_core.runs.store import RunStore
from cnn_core.saved_networks import digest_of

LAYERS = (LayerSpec(kind="conv", channels=8, kernel=3), LayerSpec(kind="flatten"), LayerSpec(kind="linear"))
HOSTILE = ("<script>alert(1)</script>", ":cat: $x$ **b**", "'; drop table networks; --", "شبكتي", "🦓" * 80, "x" * 80)


@pytest.fixture
def saved(runs: RunStore) -> NetworkStore:
    """An empty store of networks, on SQLite and on PostgreSQL."""
    return networks()


def test_a_network_comes_back_as_it_was_saved(saved: NetworkStore) -> None:
    number = saved.save(" My\n net ", LAYERS, owner=" Ada\t", image_size=32, teaches="What a\nkernel is.")
    network = saved.get(number)
    assert (network.name, network.owner, network.image_size) == ("My net", "Ada", 32)
    assert (network.layers, network.teaches, network.digest) == (LAYERS, "What a kernel is.", digest_of(LAYERS))
    assert network.created == pytest.approx(network.changed, abs=1)
    assert [other.id for other in saved.all()] == [number]


@pytest.mark.parametrize("name", HOSTILE)
def test_any_name_is_kept_letter_for_letter(saved: NetworkStore, name: str) -> None:
    number = saved.save(name, LAYERS, owner=name[:64], teaches=name)
    assert (saved.get(number).name, saved.get(number).teaches, len(saved.all())) == (name, name, 1)


def test_what_no_database_takes_is_left_out(saved: NetworkStore) -> None:
    number = saved.save("a\0b\ud800c\u202ed", LAYERS, owner="\0", teaches="\udfff")
    assert (saved.get(number).name, saved.get(number).owner, saved.get(number).teaches) == ("a b c d", "", "")


@pytest.mark.parametrize(
    ("first", "second"),
    [("My net", "MY NET"), ("straße", "STRASSE"), ("ÉTÉ", "e\u0301te\u0301"), ("ＦＵＬＬ", "full"), ("a  b", "A B")],
)
def test_names_that_read_the_same_are_the_same(saved: NetworkStore, first: str, second: str) -> None:
    number = saved.save(first, LAYERS, owner="Ada")
    with pytest.raises(TakenNameError, match=r"already, saved by Ada\. Choose another name\.") as caught:
        saved.save(second, LAYERS)
    assert caught.value.taken_by == number
    other = saved.save("another", LAYERS)
    with pytest.raises(TakenNameError, match="already"):
        saved.rename(other, second)
    saved.rename(number, second)  # its own name, written differently
    assert {network.name for network in saved.all()} == {" ".join(second.split()), "another"}


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        ({"name": " \n\0 "}, "needs a name"),
        ({"name": "x" * 81}, "at most 80 characters, not 81"),
        ({"owner": "x" * 65}, "at most 64 characters, not 65"),
        ({"teaches": "x" * 301}, "at most 300 characters, not 301"),
    ],
)
def test_texts_have_limits(saved: NetworkStore, texts: dict[str, str], sentence: str) -> None:
    with pytest.raises(PlaygroundError, match=sentence):
        saved.save(**{"name": "n", "layers": LAYERS} | texts)
    assert saved.all() == []
    saved.save("x" * 80, LAYERS, owner="x" * 64, teaches="x" * 300)


def test_layers_have_a_limit_to_the_byte(saved: NetworkStore) -> None:
    """`[{"kind":"x…x"}]` has 13 characters around the kind."""
    saved.save("largest", [LayerSpec(kind="x" * (LAYERS_BYTES - 13))])
    for act in (lambda layers: saved.save("too large", layers), lambda layers: saved.replace(1, layers)):
        with pytest.raises(PlaygroundError, match="take 200 kB; at most 200 kB"):
            act([LayerSpec(kind="x" * (LAYERS_BYTES - 12))])


def test_a_thousand_networks_and_no_more(saved: NetworkStore, runs: RunStore) -> None:
    row = "insert into networks values (:id, :name, :name, '', '', 0, '', 0, 0, '[]')"
    with runs._engine.begin() as connection:
        connection.execute(text(row), [{"id": -n, "name": f"n{n}"} for n in range(1, MOST_NETWORKS)])
    last = saved.save("last", LAYERS)
    assert len(saved.all()) == MOST_NETWORKS
    with pytest.raises(PlaygroundError, match=r"1,000 saved networks already"):
        saved.save("one more", LAYERS)
    saved.delete(last)
    assert saved.save("one more", LAYERS) > last


def at_once(*acts: Callable[[], object]) -> list[object]:
    """What each returns or raises, all started together."""
    barrier, results = threading.Barrier(len(acts)), [None] * len(acts)

    def act(place: int) -> None:
        barrier.wait()
        try:
            results[place] = acts[place]()
        except PlaygroundError as error:
            results[place] = error

    threads = [threading.Thread(target=act, args=(place,)) for place in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_of_two_who_take_a_name_at_the_same_time_one_gets_it(saved: NetworkStore) -> None:
    for turn in range(5):
        results = at_once(lambda: saved.save(f"net {turn}", LAYERS), lambda: saved.save(f"NET {turn}", LAYERS))  # noqa: B023
        assert sorted(type(result).__name__ for result in results) == ["TakenNameError", "int"]
    a, b = (saved.save(name, LAYERS) for name in "ab")
    results = at_once(lambda: saved.rename(a, "c"), lambda: saved.rename(b, "C"), lambda: saved.save("c", LAYERS))
    assert sum(isinstance(result, TakenNameError) for result in results) == 2
    assert len({network.name.casefold() for network in saved.all()}) == len(saved.all())


def test_the_last_free_place_is_taken_once(saved: NetworkStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks_module, "MOST_NETWORKS", 1)
    at_once(*(lambda n=n: saved.save(f"net {n}", LAYERS) for n in range(4)))
    assert len(saved.all()) == 1


def test_replaced_renamed_deleted(saved: NetworkStore, runs: RunStore) -> None:
    number = saved.save("n", LAYERS, owner="Ada", image_size=32)
    run_id = runs.create(Recipe(network=NetworkSpec(preset="x", layers=LAYERS)), "uses it")
    saved.replace(number, LAYERS[1:], 64)
    saved.rename(number, "m")
    network = saved.get(number)
    assert (network.name, network.owner, network.image_size) == ("m", "Ada", 64)
    assert (network.layers, network.digest) == (LAYERS[1:], digest_of(LAYERS[1:]))
    saved.delete(number)
    saved.delete(number)
    assert runs.get(run_id).recipe.network.layers == LAYERS
    for act in (saved.get, lambda n: saved.rename(n, "x"), lambda n: saved.replace(n, LAYERS)):
        with pytest.raises(UnknownNameError, match="gone"):
            act(number)
    assert saved.save("n", LAYERS) != number, "an id is never given twice"


def test_damaged_layers_are_a_sentence_and_cost_the_list_nothing(saved: NetworkStore, runs: RunStore) -> None:
    number = saved.save("n", LAYERS)
    with runs._engine.begin() as connection:
        connection.execute(text("update networks set layers_json = '[{'"))
    assert [network.name for network in saved.all()] == ["n"]
    with pytest.raises(RecipeError, match="saved network n cannot be read"):
        _ = saved.get(number).layers
