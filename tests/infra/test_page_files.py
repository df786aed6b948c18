"""The upload puts a built page into its place, newest document last, and clears what is old."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.page_files import PageNotBuiltError, PageStage, upload_page

PLACE = PageStage(
    bucket="page",
    distribution_id="E1",
    config={"issuer": "https://issuer", "login": "https://login", "client_id": "c1"},
)


class Bucket:
    """A bucket in memory, with the order in which objects came."""

    def __init__(self, *names: str) -> None:
        self.objects: dict[str, dict[str, Any]] = {name: {} for name in names}
        self.puts: list[str] = []

    def put_object(self, **sent: Any) -> None:
        self.objects[sent["Key"]] = sent
        self.puts.append(sent["Key"])

    def list_objects_v2(self, **_: Any) -> dict[str, Any]:
        return {"Contents": [{"Key": name} for name in self.objects]}

    def delete_objects(self, **sent: Any) -> None:
        for item in sent["Delete"]["Objects"]:
            del self.objects[item["Key"]]


class Cache:
    """A distribution that notes what it was told to forget."""

    def __init__(self) -> None:
        self.forgotten: list[str] = []

    def create_invalidation(self, **sent: Any) -> None:
        self.forgotten += sent["InvalidationBatch"]["Paths"]["Items"]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html>")
    (tmp_path / "assets" / "index-1.js").write_text("1")
    return tmp_path


def test_the_document_comes_after_what_it_names(files: Path) -> None:
    bucket, cache = Bucket(), Cache()
    upload_page(PLACE, s3=bucket, cloudfront=cache, files=files)
    assert bucket.puts == ["assets/index-1.js", "index.html", "config.json"]
    assert cache.forgotten == ["/*"]


def test_only_names_that_follow_the_content_are_kept_for_ever(files: Path) -> None:
    bucket = Bucket()
    upload_page(PLACE, s3=bucket, cloudfront=Cache(), files=files)
    kept = {name: sent["CacheControl"] for name, sent in bucket.objects.items()}
    assert "immutable" in kept["assets/index-1.js"]
    assert kept["index.html"] == kept["config.json"] == "no-cache"
    assert bucket.objects["assets/index-1.js"]["ContentType"] == "text/javascript"


def test_the_settings_are_those_of_the_stage(files: Path) -> None:
    bucket = Bucket()
    upload_page(PLACE, s3=bucket, cloudfront=Cache(), files=files)
    assert json.loads(bucket.objects["config.json"]["Body"]) == PLACE.config


def test_files_of_an_older_build_are_removed(files: Path) -> None:
    bucket = Bucket("assets/index-0.js", "config.json")
    upload_page(PLACE, s3=bucket, cloudfront=Cache(), files=files)
    assert set(bucket.objects) == {"assets/index-1.js", "index.html", "config.json"}


def test_a_page_that_was_not_built_replaces_nothing(tmp_path: Path) -> None:
    bucket = Bucket("index.html")
    with pytest.raises(PageNotBuiltError):
        upload_page(PLACE, s3=bucket, cloudfront=Cache(), files=tmp_path)
    assert bucket.puts == []
    assert set(bucket.objects) == {"index.html"}
