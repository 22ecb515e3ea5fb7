"""Keys with one purpose each."""

from __future__ import annotations

from base64 import urlsafe_b64decode

from cryptography.fernet import Fernet

from tgbridge.web.derived_keys import KEY_BYTES, DerivedKeys

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def test_one_purpose_each() -> None:
    """No key serves two purposes, and none is a part of the secret key."""
    keys = DerivedKeys([OLD])
    first, second = keys.of("tickets")[0], keys.of("upload ids")[0]
    assert len(first) == len(second) == KEY_BYTES
    assert len({first, second, urlsafe_b64decode(OLD)}) == 3


def test_known_answer() -> None:
    """It is HKDF-SHA256 as others have it: what was given out before an update is good after it."""
    derived = DerivedKeys(["A" * 43 + "="]).of("tickets")[0]
    assert derived.hex() == "8f67f9883d5be373fe145cb6b1142690671d38fe28446c1cfaf607ca34d158d1"


def test_rotation() -> None:
    """Each secret key has its own, in their order; every process with the same keys has the same ones."""
    assert DerivedKeys([NEW, OLD]).of("tickets") == (
        *DerivedKeys([NEW]).of("tickets"),
        *DerivedKeys([OLD]).of("tickets"),
    )
