"""Which connections there may be, by their number and by the file descriptors that are left."""

from __future__ import annotations

from tgbridge.web.connections import SURPLUS, Connections


class Connection:
    """Waits for a request since a time, or for none."""

    def __init__(self, since: float | None = None) -> None:
        self._since = since
        self.ended = False

    def idle_since(self) -> float | None:
        return self._since

    def end_idle(self) -> None:
        self.ended = True


def test_descriptors_are_scarce() -> None:
    """Near the limit idle ones give way; if there are none a newcomer is told so, and at last dropped."""
    connections = Connections(10_000, descriptor_limit=lambda: 800)
    idle = [Connection(float(number)) for number in range(2)]
    assert [connections.add(one, 10) for one in idle] == ["in", "in"]
    assert connections.add(Connection(), 699) == "in"
    assert connections.add(Connection(), 700) == "in"
    assert [one.ended for one in idle] == [True, False]
    assert connections.add(Connection(), 701) == "in"
    assert [one.ended for one in idle] == [True, True]
    assert connections.add(Connection(), 702) == "surplus"
    assert connections.add(Connection(), 750) == "out"
    assert len(connections) == 4


def test_an_eighth_gives_way() -> None:
    """Of many that wait an eighth is ended at once, the longest waiting first: a look at all costs time."""
    connections = Connections(80, descriptor_limit=lambda: None)
    idle = [Connection(float(number)) for number in range(80)]
    for one in reversed(idle):
        connections.add(one, 10)
    assert connections.add(Connection(), 10) == "in"
    assert [one.ended for one in idle] == [True] * 10 + [False] * 70
    assert len(connections) == 71


def test_surplus_is_bounded() -> None:
    """So many are told that there are too many, and no more; one that has gone makes room."""
    connections = Connections(1, descriptor_limit=lambda: None)
    first = Connection()
    assert connections.add(first, 10) == "in"
    surplus = [Connection() for _ in range(SURPLUS)]
    assert {connections.add(one, 10) for one in surplus} == {"surplus"}
    assert connections.add(Connection(), 10) == "out"
    connections.discard(surplus[0])
    assert connections.add(Connection(), 10) == "surplus"
    connections.discard(first)
    assert connections.add(Connection(), 10) == "in"
