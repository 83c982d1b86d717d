"""The certificate of a local run: self-signed, for localhost alone, made once."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from ops.home import write_atomically

FILE = "gateway.pem"
_KEY = "gateway-key.pem"
_LIFE = timedelta(days=825)  # the most that browsers accept


def ensure(folder: Path) -> Path:
    """Return the certificate in `folder`; make it and its key when there is none."""
    file = folder / FILE
    if not file.exists():
        certificate, key = _make()
        write_atomically(folder / _KEY, key)
        write_atomically(file, certificate)
    return file


def directives(folder: Path, port: int) -> str:
    """Return the directives with which Nginx serves TLS by the certificate in `folder`."""
    return (
        f"listen 127.0.0.1:{port} ssl http2; "
        f'ssl_certificate "{folder / FILE}"; ssl_certificate_key "{folder / _KEY}"; '
        "ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:tls:1m;"
    )


def _make() -> tuple[str, str]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    hosts = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + _LIFE)
        .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(pem).decode(), private.decode()
