"""A certificate of its own lets the sandbox speak TLS to clients that know only `https://`."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LOCAL_NAMES = ("localhost", "*.localhost", "127.0.0.1", "::1")
_VALID = timedelta(days=397)
"""The longest time that browsers accept."""
_CLOCK_DIFFERENCE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate lies in two files; clients trust the first one."""

    certificate_path: Path
    key_path: Path


@contextmanager
def temporary_certificate(host: str) -> Iterator[Certificate]:
    """Give a new certificate for a host name or address and for this machine's own names.

    Its files are in a folder that only this user reads, and that is gone after the `with` block.
    """
    with tempfile.TemporaryDirectory(prefix="connectwise-sandbox-") as folder:
        certificate = Certificate(Path(folder, "certificate.pem"), Path(folder, "key.pem"))
        key = ec.generate_private_key(ec.SECP256R1())
        signed = _sign(key, dict.fromkeys((host, *LOCAL_NAMES)))
        certificate.certificate_path.write_bytes(signed.public_bytes(Encoding.PEM))
        certificate.key_path.write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        yield certificate


def _sign(key: ec.EllipticCurvePrivateKey, names: dict[str, None]) -> x509.Certificate:
    """Return a certificate that its own key signs, so that a client can trust it alone."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ConnectWise sandbox")])
    now = datetime.now(UTC)
    public_key = key.public_key()
    identifier = x509.SubjectKeyIdentifier.from_public_key(public_key)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_DIFFERENCE)
        .not_valid_after(now + _VALID - _CLOCK_DIFFERENCE)
        .add_extension(x509.SubjectAlternativeName(map(_general_name, names)), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_KEY_USAGE, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(identifier, critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


_KEY_USAGE = x509.KeyUsage(
    digital_signature=True,
    key_cert_sign=True,
    crl_sign=False,
    content_commitment=False,
    data_encipherment=False,
    decipher_only=False,
    encipher_only=False,
    key_agreement=False,
    key_encipherment=False,
)
