"""PDFs are kept in a private bucket and leave it as downloads only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import httpx
import pytest

from bridge.aws.clients import client_config
from bridge.aws.documents import S3DocumentStore, safe_file_name
from bridge.domain.errors import InvalidInputError
from bridge.ports import DocumentStore
from infra.local.embedded_aws import REGION, EmbeddedAws
from infra.local.patience import PATIENCE_SECONDS
from tests.fakes.documents import InMemoryDocuments

KEY = "partner-a/c0-1001/abc.pdf"
CONTENT = b"%PDF-1.7 content"


@pytest.fixture
def s3(aws: EmbeddedAws) -> Any:
    return aws.client("s3")


@pytest.fixture
def bucket(s3: Any) -> Iterator[str]:
    s3.create_bucket(Bucket="bridge-documents")
    yield "bridge-documents"
    listed = s3.list_objects_v2(Bucket="bridge-documents").get("Contents", [])
    for entry in listed:
        s3.delete_object(Bucket="bridge-documents", Key=entry["Key"])
    s3.delete_bucket(Bucket="bridge-documents")


@pytest.fixture
def on_aws(aws: EmbeddedAws, bucket: str) -> S3DocumentStore:
    """A store with temporary credentials, as a function has them; links are checked by those."""
    session = aws.client("sts").get_session_token()["Credentials"]
    client = boto3.client(
        "s3",
        endpoint_url=aws.url,
        region_name=REGION,
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
        config=client_config("s3v4"),
    )
    return S3DocumentStore(client, bucket)


@pytest.fixture
def in_memory_documents() -> InMemoryDocuments:
    return InMemoryDocuments()


@pytest.fixture(params=["in_memory_documents", "on_aws"])
def documents(request: pytest.FixtureRequest) -> DocumentStore:
    given: DocumentStore = request.getfixturevalue(request.param)
    return given


def test_a_pdf_is_there_once_it_was_put(documents: DocumentStore) -> None:
    assert not documents.has_pdf(KEY)
    documents.put_pdf(KEY, CONTENT)
    assert documents.has_pdf(KEY)
    assert not documents.has_pdf(KEY + "x")


@pytest.mark.parametrize("lifetime_seconds", [0, 301])
def test_a_link_lives_five_minutes_at_most(documents: DocumentStore, lifetime_seconds: int) -> None:
    with pytest.raises(InvalidInputError):
        documents.presign_pdf(KEY, file_name="a.pdf", lifetime_seconds=lifetime_seconds)


def test_a_link_downloads_the_pdf_under_a_safe_name(on_aws: S3DocumentStore) -> None:
    on_aws.put_pdf(KEY, CONTENT)
    url = on_aws.presign_pdf(KEY, file_name='Invoice "17"\r\nX: y.pdf', lifetime_seconds=60)
    answer = httpx.get(url, timeout=PATIENCE_SECONDS)
    assert answer.content == CONTENT
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="Invoice _17_X_ y.pdf"'
    assert "X-Amz-Signature=" in url
    assert "X-Amz-Expires=60" in url


def test_a_link_to_nothing_leads_nowhere(on_aws: S3DocumentStore) -> None:
    url = on_aws.presign_pdf(KEY, file_name="a.pdf", lifetime_seconds=60)
    assert httpx.get(url, timeout=PATIENCE_SECONDS).status_code == httpx.codes.NOT_FOUND


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("INV-17.pdf", "INV-17.pdf"),
        ("INV-17", "INV-17.pdf"),
        ("../../etc/passwd", "etc_passwd.pdf"),
        ("…", "document.pdf"),
        ("", "document.pdf"),
        ("Rechnung Müller.exe", "Rechnung M_ller.exe.pdf"),
        ("x" * 300, "x" * 100 + ".pdf"),
    ],
)
def test_file_names_are_made_harmless(name: str, expected: str) -> None:
    assert safe_file_name(name) == expected
