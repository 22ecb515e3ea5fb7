"""What is remembered of codes and passwords: only what the very same one may be told again."""

from __future__ import annotations

import pytest

from tgbridge.logins.memory import LoginMemory, Outcome


class Clock:
    """Seconds that pass when a test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def memory(clock: Clock) -> LoginMemory:
    return LoginMemory(seconds=60, most=3, clock=clock)


@pytest.mark.parametrize("outcome", Outcome)
def test_the_same_proof(memory: LoginMemory, outcome: Outcome) -> None:
    """The outcome is that of one proof in one login."""
    memory.note("login", "11111", outcome)
    assert memory.outcome("login", "11111") is outcome
    assert memory.outcome("login", "11112") is None
    assert memory.outcome("another", "11111") is None


def test_what_is_known_stays_known(memory: LoginMemory) -> None:
    """A code that a password is behind never becomes one that may have signed in."""
    memory.note("login", "11111", Outcome.PASSWORD_NEEDED)
    memory.note("login", "11111", Outcome.UNKNOWN)
    assert memory.outcome("login", "11111") is Outcome.PASSWORD_NEEDED


@pytest.mark.parametrize("taken", [Outcome.SIGNED_IN, Outcome.PASSWORD_NEEDED])
def test_a_step_that_was_taken_by_another(memory: LoginMemory, taken: Outcome) -> None:
    """An attempt whose answer was lost had no share in it."""
    memory.note("login", "wrong", Outcome.UNKNOWN)
    memory.note("login", "right", taken)
    assert (memory.outcome("login", "wrong"), memory.outcome("login", "right")) == (None, taken)


def test_for_a_while(memory: LoginMemory, clock: Clock) -> None:
    """A login is remembered for as long after each step, and then makes room."""
    memory.note("login", "code", Outcome.PASSWORD_NEEDED)
    clock.now = 50.0
    memory.note("login", "password", Outcome.SIGNED_IN)
    clock.now = 109.0
    assert memory.outcome("login", "code") is Outcome.PASSWORD_NEEDED
    clock.now = 110.0
    assert memory.outcome("login", "password") is None
    memory.note("another", "code", Outcome.SIGNED_IN)
    assert len(memory) == 1


def test_in_bounded_memory(memory: LoginMemory) -> None:
    """The oldest is forgotten for a new one."""
    for login in "abcd":
        memory.note(login, "code", Outcome.SIGNED_IN)
    assert len(memory) == 3
    assert memory.outcome("a", "code") is None


def test_nothing_secret_is_kept(memory: LoginMemory) -> None:
    """Of a session, a code or a password nothing can be read in it, nor be told by whoever guesses."""
    memory.note("the-session", "the-password", Outcome.SIGNED_IN)
    other = LoginMemory()
    other.note("the-session", "the-password", Outcome.SIGNED_IN)
    assert "the-" not in repr(vars(memory))
    assert memory._logins.keys().isdisjoint(other._logins.keys())
