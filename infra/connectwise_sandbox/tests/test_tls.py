"""The sandbox speaks TLS with a certificate that it makes itself."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from cryptography import x509

from connectwise_sandbox.certificate import temporary_certificate
from connectwise_sandbox.server import running_sandbox


def client_trusting(certificate_path: str | None) -> httpx.Client:
    """Return a client that trusts one certificate and no other."""
    assert certificate_path is not None
    return httpx.Client(verify=ssl.create_default_context(cafile=certificate_path))


def test_a_client_that_trusts_the_certificate_reads_over_https() -> None:
    with running_sandbox(customers=2, invoices=3, tls=True) as sandbox:
        keys = sandbox.announcement
        with client_trusting(keys.certificate_path) as client:
            info = client.get(f"{keys.base_url}/login/companyinfo/{keys.company_id}").json()
            answer = client.get(
                f"{keys.base_url}/{info['Codebase']}apis/3.0/finance/invoices",
                auth=(f"{keys.company_id}+{keys.public_key}", keys.private_key),
                headers={"clientId": keys.client_id},
                params={"pageSize": 2},
            )

    assert keys.base_url.startswith("https://127.0.0.1:")
    assert len(answer.json()) == 2
    assert f"<{keys.base_url}/" in answer.headers["link"]
    assert answer.json()[0]["company"]["_info"]["company_href"].startswith(keys.base_url)


def test_a_client_that_does_not_trust_the_certificate_is_kept_out() -> None:
    with (
        running_sandbox(customers=2, invoices=3, tls=True) as sandbox,
        pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        httpx.get(sandbox.base_url)


def test_an_answer_that_is_cut_ends_the_connection_over_tls_too() -> None:
    with (
        running_sandbox(customers=2, invoices=3, tls=True) as sandbox,
        client_trusting(sandbox.announcement.certificate_path) as client,
    ):
        client.post(f"{sandbox.admin_url}/faults", json={"effect": "cut_before_effect"})
        with pytest.raises(httpx.TransportError):
            client.get(f"{sandbox.base_url}/login/companyinfo/x")


def test_the_command_names_its_certificate_and_takes_it_away_when_told_to_end() -> None:
    command = [sys.executable, "-m", "connectwise_sandbox", "--port", "0", "--tls"]
    sizes = ["--customers", "2", "--invoices", "3"]
    with subprocess.Popen([*command, *sizes], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        keys = json.loads(process.stdout.readline())
        path = Path(keys["certificate_path"])
        with client_trusting(str(path)) as client:
            status = client.get(f"{keys['admin_url']}/health").status_code
        process.terminate()
        rest = process.stdout.read()

    assert (status, process.returncode, rest) == (200, 0, "")
    assert not path.parent.exists()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "connectwise.example"])
def test_a_certificate_holds_for_its_host_and_for_this_machine(host: str) -> None:
    with temporary_certificate(host) as certificate:
        names = certificate_names(certificate.certificate_path)
        mode = certificate.key_path.parent.stat().st_mode & 0o777

    assert names >= {host, "localhost", "127.0.0.1"}
    assert mode == 0o700


def certificate_names(path: Path) -> set[str]:
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(each.value) for each in names}
