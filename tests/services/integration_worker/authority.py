"""A certificate authority for tests: certificates for servers of this machine and for clients."""

import datetime as dt
import ipaddress
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from cryptography.x509.oid import NameOID

PASSPHRASE = "canary-passphrase"
_START = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
_END = dt.datetime(2120, 1, 1, tzinfo=dt.UTC)


class Authority:
    """Signs certificates and writes them into a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("authority")
        self._certificate = self._signed(self._name, self._key, x509.BasicConstraints(ca=True, path_length=None))
        self.file = self._write("authority.pem", _pem(self._certificate))

    def server(self) -> ssl.SSLContext:
        """Return what a server on 127.0.0.1 needs that lets only clients of this authority in."""
        key = ec.generate_private_key(ec.SECP256R1())
        address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        certificate = self._signed(_name("server"), key, address)
        file = self._write("server.pem", _pem(certificate) + _key(key))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(self.file))
        context.verify_mode = ssl.CERT_REQUIRED
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # as plain as private authorities are
        context.load_cert_chain(str(file))
        return context

    def client(self, name: str) -> None:
        """Write `NAME.pem`, `NAME.key`, `NAME.locked.key` and `NAME.p12`, the last two under the passphrase."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._signed(_name(name), key, x509.BasicConstraints(ca=False, path_length=None))
        locked = BestAvailableEncryption(PASSPHRASE.encode())
        self._write(f"{name}.pem", _pem(certificate))
        self._write(f"{name}.key", _key(key))
        self._write(f"{name}.locked.key", key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked))
        packed = serialize_key_and_certificates(name.encode(), key, certificate, [self._certificate], locked)
        self._write(f"{name}.p12", packed)

    def _signed(
        self, name: x509.Name, key: ec.EllipticCurvePrivateKey, extension: x509.ExtensionType
    ) -> x509.Certificate:
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(self._name).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(_START).not_valid_after(_END)
        return builder.add_extension(extension, critical=True).sign(self._key, hashes.SHA256())

    def _write(self, name: str, content: bytes) -> Path:
        file = self.folder / name
        file.write_bytes(content)
        return file


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


def _key(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
