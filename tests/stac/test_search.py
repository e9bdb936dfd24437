"""Search against an API with the manners of real ones, and static catalogues."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fault_server import FaultServer
from ministac import MiniStac

from rsvlm_geo.errors import StacError
from rsvlm_geo.remote import ReadPolicy
from rsvlm_geo.stac import SearchQuery, load_items, search
from rsvlm_geo.stac.cli import stac
from rsvlm_geo.stac.query import parse_datetimes, split_bbox

pytest.importorskip("pystac_client")
FAST = ReadPolicy(tries=6, first_delay_s=0.01, max_delay_s=0.05, read_timeout_s=2)


def item(name: str, west: float, *, collection: str = "aerial", day: int = 1, **properties: Any):
    east = west + 0.5
    ring = [[west, -18], [east, -18], [east, -17], [west, -17], [west, -18]]
    return {
        "type": "Feature", "stac_version": "1.1.0", "stac_extensions": [], "id": name,
        "collection": collection, "bbox": [west, -18, east, -17],
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {"datetime": f"2024-06-{day:02d}T10:00:00Z", **properties},
        "links": [], "assets": {"visual": {"href": "a.tif", "type": "image/tiff"}},
    }  # fmt: skip


ITEMS = [
    item("a", 10, day=1, cloud=5), item("b", 11, day=2, cloud=50), item("c", 12, day=3, cloud=10),
    item("east", 179.2), item("west", -179.8), item("d", 10, collection="other"),
]  # fmt: skip


@pytest.fixture
def api():
    with MiniStac(ITEMS) as server:
        yield server


def ids(found: Any) -> list[str]:
    return sorted(i.id for i in found)


CASES = [
    ({}, ["a", "b", "c", "d", "east", "west"]),
    ({"collections": ["other"]}, ["d"]),
    ({"bbox": (9.5, -19, 11.2, -16)}, ["a", "b", "d"]),
    ({"bbox": (179, -18, -179, -17)}, ["east", "west"]),
    ({"datetime": "2024-06-02/2024-06-03"}, ["b", "c"]),
    ({"datetime": "2024-06-02T00:00:00Z/.."}, ["b", "c"]),
    ({"ids": ["a", "c"]}, ["a", "c"]),
    ({"filter": "cloud < 20"}, ["a", "c"]),
    ({"filter": {"op": "<", "args": [{"property": "cloud"}, 20]}}, ["a", "c"]),
    ({"intersects": {"type": "Point", "coordinates": [11.2, -17.5]}}, ["b"]),
    ({"bbox": (0, 0, 1, 1)}, []),
]


@pytest.mark.parametrize(("query", "wanted"), CASES)
def test_api(api: MiniStac, query: dict[str, Any], wanted: list[str]) -> None:
    assert ids(search(api.url, **query)) == wanted


@pytest.mark.parametrize(("query", "wanted"), CASES)
def test_static_catalogue_gives_the_same(
    tmp_path: Path, query: dict[str, Any], wanted: list[str]
) -> None:
    assert ids(search(str(write_catalogue(tmp_path)), **query)) == wanted


def test_static_catalogue_over_http(tmp_path: Path) -> None:
    write_catalogue(tmp_path)
    with FaultServer(tmp_path) as server:
        found = list(search(f"{server.url}/flaky-40/catalog.json", policy=FAST))
        assert ids(found) == ids(search(str(tmp_path / "catalog.json")))
        assert all(i.network for i in found)


def write_catalogue(folder: Path) -> Path:
    children = []
    for name in ("aerial", "other"):
        sub = folder / name
        sub.mkdir()
        links = []
        for data in ITEMS:
            if data["collection"] == name:
                (sub / f"{data['id']}.json").write_text(json.dumps(data))
                links.append({"rel": "item", "href": f"./{data['id']}.json"})
        collection = {"type": "Collection", "id": name, "links": links}
        (sub / "collection.json").write_text(json.dumps(collection))
        children.append({"rel": "child", "href": f"./{name}/collection.json"})
        children.append({"rel": "child", "href": f"./{name}/collection.json"})  # told twice
    root = {"type": "Catalog", "id": "root", "links": children}
    path = folder / "catalog.json"
    path.write_text(json.dumps(root))
    return path


def test_busy_server_is_asked_again(api: MiniStac) -> None:
    api.fail_first = 4
    assert len(list(search(api.url, policy=FAST))) == 6


def test_unknown_collection_is_an_error(api: MiniStac, tmp_path: Path) -> None:
    with pytest.raises(StacError, match="did you mean 'aerial'"):
        list(search(api.url, collections=["aeral"]))
    with pytest.raises(StacError, match="it has aerial, other"):
        list(search(str(write_catalogue(tmp_path)), collections=["zzz"]))


def test_too_many_is_an_error_not_a_cut(api: MiniStac) -> None:
    assert len(list(search(api.url, max_items=6))) == 6
    with pytest.raises(StacError, match="more than 5 items match"):
        list(search(api.url, max_items=5))
    assert len(list(search(api.url, max_items=0))) == 6


def test_a_hundred_thousand_matches_stop_early() -> None:
    many = [{**ITEMS[0], "id": str(i)} for i in range(3000)]
    with MiniStac(many, page=200) as api:
        with pytest.raises(StacError, match="narrow the search"):
            list(search(api.url, max_items=500))
        assert len([r for r in api.requests if "search" in r[1]]) <= 4


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"bbox": (0, 10, 1, 5)}, "upside down"),
        ({"bbox": (0, 0, 361, 5)}, "179,-18,-179,-17"),
        ({"bbox": (0, 0, 1)}, "west,south,east,north"),
        ({"bbox": (0, 0, 1, 95)}, "-90..90"),
        ({"filter": "cloud <<>> 3"}, "bad CQL2"),
        ({"filter": {"op": "<"}}, "bad CQL2"),
        ({"datetime": "yesterday"}, "cannot be read"),
        ({"datetime": "2024-06-03/2024-06-01"}, "ends before it starts"),
        ({"bbox": (0, 0, 1, 1), "intersects": {"type": "Point"}}, "not both"),
    ],
)
def test_bad_queries_are_told_before_asking(query: dict[str, Any], said: str) -> None:
    with pytest.raises(StacError, match=said) as caught:
        SearchQuery(**query)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("path", ["html/x.tif", "404/x.tif", "503/x.tif", "hang/x.tif"])
def test_broken_apis_say_so(tmp_path: Path, path: str) -> None:
    (tmp_path / "x.tif").write_bytes(b"II*\0")
    policy = ReadPolicy(tries=2, first_delay_s=0.01, read_timeout_s=0.3)
    with FaultServer(tmp_path) as server, pytest.raises(StacError) as caught:
        list(search(f"{server.url}/{path}?key=SECRET", policy=policy))
    assert "SECRET" not in str(caught.value)


def test_bearer_search(api: MiniStac, monkeypatch: pytest.MonkeyPatch) -> None:
    api.token = "tok"
    monkeypatch.setenv("API_TOKEN", "tok")
    assert len(list(search(api.url, signer="bearer:API_TOKEN"))) == 6
    with pytest.raises(StacError, match="401"):
        list(search(api.url, policy=FAST))


def test_items_from_everywhere(tmp_path: Path, api: MiniStac, monkeypatch: Any) -> None:
    collection = {"type": "FeatureCollection", "features": ITEMS}
    (tmp_path / "c.json").write_text(json.dumps(collection))
    (tmp_path / "c.ndjson").write_text("\n".join(json.dumps(i) for i in ITEMS))
    (tmp_path / "one.json").write_text(json.dumps(ITEMS[0]))
    assert len(list(load_items(tmp_path / "c.json"))) == 6
    assert len(list(load_items(tmp_path / "c.ndjson"))) == 6
    assert ids(load_items(tmp_path / "one.json")) == ["a"]
    assert len(list(load_items(collection))) == 6
    assert len(list(load_items(search(api.url)))) == 6
    for bad in ("{}", "[1]", "<html>", '{"type":"Point"}'):
        (tmp_path / "bad.json").write_text(bad)
        with pytest.raises(StacError):
            list(load_items(tmp_path / "bad.json"))


def test_cli_search(api: MiniStac, tmp_path: Path) -> None:
    run = CliRunner().invoke
    done = run(stac, ["search", api.url, "--bbox", "179,-18,-179,-17"])
    assert done.exit_code == 0, done.output
    assert [i["id"] for i in json.loads(done.stdout)["features"]] == ["east", "west"]
    done = run(stac, ["search", api.url, "-c", "nope"])
    assert done.exit_code == 1
    assert done.stderr.startswith("error: no collection 'nope'")
    assert done.stderr.count("\n") == 1


def test_datetimes() -> None:
    start, end = parse_datetimes("2024-02")
    assert (start.day, end.day, end.hour) == (1, 29, 23)
    assert parse_datetimes("../2024")[0] is None
    assert split_bbox((170.0, -1.0, -170.0, 1.0)) == (
        (170.0, -1.0, 180.0, 1.0),
        (-180.0, -1.0, -170.0, 1.0),
    )
