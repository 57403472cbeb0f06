"""The client of S3: made when it is first used, once per process, and what it says, in our words."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from pipelines.store.errors import Damaged, NotStored, StoreAway, StoreError, StoreFull
from pipelines.store.place import Means

CONNECT: Final = 3  # seconds
READ: Final = 15  # seconds without a byte
ATTEMPTS: Final = 3
CONNECTIONS: Final = 16

REFUSED: Final = {
    "AccessDenied", "403", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken",
    "AuthFailure", "AllAccessDisabled", "AccountProblem", "RequestTimeTooSkewed",
}  # fmt: skip
FULL: Final = {
    "QuotaExceeded",
    "XMinioStorageFull",
    "XMinioAdminBucketQuotaExceeded",
    "InsufficientStorage",
    "507",
}
ALTERED: Final = {"BadDigest", "XAmzContentChecksumMismatch", "XAmzContentSHA256Mismatch", "InvalidDigest"}

_clients: dict[tuple[int, Any], Any] = {}
_making = threading.Lock()


@dataclass(frozen=True)
class Address:
    """`s3://bucket/prefix?endpoint=…&region=…`; the prefix ends with a slash or is empty."""

    bucket: str
    prefix: str
    endpoint: str = ""
    region: str = ""

    @classmethod
    def parse(cls, text: str) -> Address:
        """Raises StoreError, which says what is wrong with the address."""
        parts = urlsplit(text)
        prefix = parts.path.strip("/")
        query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        if odd := sorted(set(query) - {"endpoint", "region"}):
            raise StoreError(
                f"the store address has the unknown setting {odd[0]}: it takes endpoint and region"
            )
        endpoint = query.get("endpoint", "")
        if "@" in parts.netloc or "@" in urlsplit(endpoint).netloc:
            raise StoreError(
                "the store address holds a password: take it out, and set ORCHESTRATOR_STORE_ACCESS_KEY and "
                "ORCHESTRATOR_STORE_SECRET_KEY instead"
            )
        if not parts.netloc:
            raise StoreError(f"the store address {text} names no bucket: it is s3://bucket/prefix")
        if endpoint and urlsplit(endpoint).scheme not in ("http", "https"):
            raise StoreError(f"the endpoint {endpoint} of the store is no http or https address")
        return cls(parts.netloc, prefix and f"{prefix}/", endpoint, query.get("region", ""))

    def __str__(self) -> str:
        where = f" at {self.endpoint}" if self.endpoint else ""
        return f"s3://{self.bucket}/{self.prefix.rstrip('/')}{where}"


def client(address: Address, means: Means) -> Any:
    """The client for an address, safe for threads; a forked process makes its own."""
    key = (os.getpid(), (address.endpoint, address.region, means.access_key, means.secret_key))
    with _making:
        if key not in _clients:
            _clients[key] = _made(address, means)
        return _clients[key]


def _made(address: Address, means: Means) -> Any:
    import boto3  # 40 MB and 0.2 s that a store in a folder does not cost
    from botocore.config import Config

    style = "path" if address.endpoint and not address.endpoint.endswith(".amazonaws.com") else "auto"
    return boto3.session.Session().client(
        "s3",
        endpoint_url=address.endpoint or None,
        region_name=address.region or ("us-east-1" if address.endpoint else None),
        aws_access_key_id=means.access_key or None,
        aws_secret_access_key=means.secret_key or None,
        config=Config(
            connect_timeout=CONNECT,
            read_timeout=READ,
            retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
            max_pool_connections=CONNECTIONS,
            s3={"addressing_style": style},
            # We name the checksums ourselves: they are our digests.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


def code_of(problem: Any) -> str:
    """The code of a ClientError, such as NoSuchKey; of an answer without a body its status."""
    return str(problem.response.get("Error", {}).get("Code", ""))


@contextmanager
def in_words(address: Address, sha256: str = "") -> Iterator[None]:
    """What the client says as NotStored, StoreAway, StoreFull, Damaged or StoreError."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

    try:
        yield
    except ClientError as problem:
        raise _answered(problem, address, sha256) from problem
    except (NoCredentialsError, PartialCredentialsError) as problem:
        raise StoreAway(
            f"there are no keys for the store {address}: set ORCHESTRATOR_STORE_ACCESS_KEY and "
            "ORCHESTRATOR_STORE_SECRET_KEY, or the variables of AWS"
        ) from problem
    except BotoCoreError as problem:
        raise StoreAway(f"the store {address} cannot be reached: {problem}") from problem


def _answered(problem: Any, address: Address, sha256: str) -> StoreError:
    code = code_of(problem)
    status = problem.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in ("404", "NoSuchKey"):
        return NotStored.of(sha256)
    if code == "NoSuchBucket":
        return StoreAway(f"the store {address} has no bucket {address.bucket}: make it, or correct its name")
    if code in REFUSED:
        return StoreAway(f"the store {address} refuses our keys ({code}): correct them, or what they may do")
    if code in FULL or status == 507:
        return StoreFull(f"no space is left in the store {address} ({code})")
    if code in ALTERED:
        return Damaged(f"the bytes of {sha256} were altered on their way to the store {address}")
    if status >= 500 or code in ("SlowDown", "RequestTimeout", "Throttling"):
        return StoreAway(f"the store {address} does not answer as it should ({code or status})")
    return StoreError(f"the store {address} refuses: {problem}")
