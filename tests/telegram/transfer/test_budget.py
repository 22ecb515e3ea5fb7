from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from tgbridge.telegram.transfer.budget import Budget, Share


class Stream:
    """A stream as the budget sees it: pieces that it holds, and one that it waits for."""

    def __init__(self, budget: Budget, account: str, piece: int = 10) -> None:
        self.budget = budget
        self.piece = piece
        self.pieces: list[int] = []
        self.landed = False
        self.wanting = False
        self.share: Share = budget.enter(account, wake=self.ask, reclaim=self._drop)

    def ask(self) -> None:
        """Want one piece more."""
        self.wanting = not self.share.take(self.piece)
        if not self.wanting:
            self.pieces.append(self.piece)

    def ask_until_refused(self) -> Stream:
        while not self.wanting:
            self.ask()
        return self

    def read(self) -> None:
        self.share.give(self.pieces.pop(0))

    def land(self) -> Stream:
        """Have everything arrive that is on its way: from now on it could be dropped."""
        self.landed = True
        self.share.landed()
        return self

    def _drop(self, wanted: int, most: int) -> int:
        freed = 0
        while self.landed and freed < wanted and len(self.pieces) > 1 and freed + self.pieces[-1] <= most:
            freed += self.pieces.pop()
        if freed:
            self.wanting = False
        return freed


def test_one_stream_alone_has_all_that_its_bound_allows() -> None:
    """Nobody else, no sharing: the stream's own bound is the only one."""
    stream = Stream(Budget(process_bytes=100, account_bytes=80, stream_bytes=40), "a").ask_until_refused()
    assert stream.share.held == 40


def test_an_account_is_bounded_whatever_its_streams() -> None:
    """Three streams of one account stay within the account's bound, and leave the rest to another account."""
    budget = Budget(process_bytes=100, account_bytes=60, stream_bytes=40)
    streams = [Stream(budget, "a").ask_until_refused() for _ in range(3)]
    assert sum(stream.share.held for stream in streams) == 60
    assert Stream(budget, "b").ask_until_refused().share.held == 40


def test_the_last_bytes_are_for_accounts_that_have_next_to_nothing() -> None:
    """Whoever holds a lot, and gives nothing back, leaves something to those who have just come."""
    budget = Budget(
        process_bytes=100, account_bytes=100, stream_bytes=100, reserved_bytes=30, little_bytes=20
    )
    greedy = Stream(budget, "greedy").ask_until_refused()
    modest = [Stream(budget, account).ask_until_refused() for account in ("a", "b")]
    assert greedy.share.held == 70
    assert [stream.share.held for stream in modest] == [20, 10]


def test_who_waits_is_served_as_bytes_come_free() -> None:
    """A refused stream is called when another has read a piece, and then has its bytes."""
    budget = Budget(process_bytes=20, account_bytes=20, stream_bytes=20)
    first = Stream(budget, "a").ask_until_refused()
    second = Stream(budget, "b")
    second.ask()
    assert not second.pieces
    first.read()
    assert second.pieces == [10]
    assert budget.held == 20


def test_the_account_that_holds_least_is_served_first() -> None:
    """Nine waiting streams of one account do not outvote one of another, though they asked before it."""
    budget = Budget(process_bytes=100, account_bytes=100, stream_bytes=100)
    greedy = [Stream(budget, "greedy").ask_until_refused() for _ in range(9)]
    modest = Stream(budget, "modest")
    modest.ask()
    for _ in range(5):
        greedy[0].read()
    assert modest.pieces == [10]
    assert [len(stream.pieces) for stream in greedy] == [5, 1, 1, 1, 1, 0, 0, 0, 0]


def test_equals_are_served_in_the_order_of_their_asking() -> None:
    """First come, first served among streams that hold the same."""
    budget = Budget(process_bytes=30, account_bytes=30, stream_bytes=30)
    holder = Stream(budget, "a").ask_until_refused()
    waiting = [Stream(budget, "a") for _ in range(3)]
    for stream in waiting:
        stream.ask()
    holder.read()
    assert [len(stream.pieces) for stream in waiting] == [1, 0, 0]
    holder.read()
    assert [len(stream.pieces) for stream in waiting] == [1, 1, 0]


def test_equals_of_several_accounts_take_turns() -> None:
    """Who came first to the process has no advantage over those who came later."""
    budget = Budget(process_bytes=40, account_bytes=40, stream_bytes=40)
    streams = [Stream(budget, name) for name in "abc"]
    for _ in range(2):
        for stream in streams:
            stream.ask()  # for the second time: there is one piece, which all want from now on
    served = []
    for _ in range(6):
        richest = max(streams, key=lambda stream: stream.share.held)
        richest.read()
        richest.ask()
        served.append(max(streams, key=lambda stream: stream.share.held).share.key)
    assert served == ["b", "c", "a", "b", "c", "a"]


def test_readers_that_stopped_do_not_keep_a_new_one_out() -> None:
    """What paused streams have fetched beyond their fair share goes to the newcomer, down to that share."""
    budget = Budget(process_bytes=160, account_bytes=160, stream_bytes=40)
    paused = [Stream(budget, name).ask_until_refused().land() for name in "abcd"]
    assert budget.left == 0
    newcomer = Stream(budget, "e").ask_until_refused()
    assert newcomer.share.held == 30  # a fair fifth is 32
    assert all(stream.share.held >= 30 for stream in paused)
    assert budget.held == 160


def test_what_is_still_on_its_way_is_not_taken_back_until_it_has_landed() -> None:
    """A stream in full swing frees its bytes by itself; one that turns out to be paused is asked then."""
    budget = Budget(process_bytes=40, account_bytes=40, stream_bytes=40)
    busy = Stream(budget, "a").ask_until_refused()
    newcomer = Stream(budget, "b")
    newcomer.ask()
    assert not newcomer.pieces
    busy.land()
    assert newcomer.pieces == [10]
    assert len(busy.pieces) == 3


def test_leaving_gives_everything_back_and_serves_the_next() -> None:
    """A stream that ends, waiting or not, leaves nothing behind."""
    budget = Budget(process_bytes=20, account_bytes=20, stream_bytes=20)
    first, second, third = (Stream(budget, name) for name in "abc")
    first.ask_until_refused()
    second.ask()
    third.ask()
    second.share.leave()
    first.share.leave()
    first.share.leave()
    assert third.pieces == [10]
    third.share.leave()
    assert (budget.held, budget.waiting, budget.streams, budget.accounts) == (0, 0, 0, {})


def test_bytes_set_aside_for_one_that_leaves_go_to_the_next() -> None:
    """A grant that comes too late to be used is not lost."""
    budget = Budget(process_bytes=10, account_bytes=10, stream_bytes=10)
    first = Stream(budget, "a")
    first.ask()
    late = budget.enter("b", wake=lambda: None, reclaim=lambda _wanted, _most: 0)
    assert not late.take(10)
    third = Stream(budget, "c")
    third.ask()
    first.share.leave()
    assert late.held == 10
    late.leave()
    assert third.pieces == [10]


def test_another_size_than_was_set_aside() -> None:
    """A stream that needs less, when its turn comes, gives the difference to others."""
    budget = Budget(process_bytes=10, account_bytes=10, stream_bytes=10)
    first = Stream(budget, "a")
    first.ask()
    second = budget.enter("b", wake=lambda: None, reclaim=lambda _wanted, _most: 0)
    assert not second.take(10)
    first.share.leave()
    assert second.take(4)
    assert (second.held, budget.held) == (4, 4)


def test_a_cache_is_told_to_make_room() -> None:
    """Whatever is taken, the cache hears how much is left for it."""
    left: list[int] = []
    budget = Budget(process_bytes=50, account_bytes=50, stream_bytes=50, relieve=left.append)
    Stream(budget, "a").ask_until_refused()
    assert left == [40, 30, 20, 10, 0]


class Bounds(RuleBasedStateMachine):
    """Any order of asking, landing, reading and leaving: no bound is broken, and nobody waits for nothing."""

    streams = Bundle("streams")

    def __init__(self) -> None:
        super().__init__()
        self.budget = Budget(process_bytes=100, account_bytes=60, stream_bytes=35)
        self.alive: list[Stream] = []

    @rule(target=streams, account=st.sampled_from("abc"), piece=st.integers(1, 30))
    def enter(self, account: str, piece: int) -> Stream:
        stream = Stream(self.budget, account, piece)
        self.alive.append(stream)
        return stream

    @rule(stream=streams)
    def ask(self, stream: Stream) -> None:
        stream.ask()

    @rule(stream=streams)
    def land(self, stream: Stream) -> None:
        stream.land()

    @rule(stream=streams)
    def read(self, stream: Stream) -> None:
        if stream.pieces:
            stream.read()

    @rule(stream=consumes(streams))
    def leave(self, stream: Stream) -> None:
        self.alive.remove(stream)
        stream.share.leave()

    @invariant()
    def bounded(self) -> None:
        assert self.budget.held == sum(stream.share.held for stream in self.alive) <= 100
        assert all(account.held <= 60 for account in self.budget.accounts.values())
        assert all(stream.share.held <= 35 for stream in self.alive)
        assert all(stream.share.held == sum(stream.pieces) for stream in self.alive)

    @invariant()
    def nobody_starves(self) -> None:
        waiting = sum(len(account.waiting) for account in self.budget.accounts.values())
        assert waiting == self.budget.waiting == sum(stream.share.number > 0 for stream in self.alive)
        if not self.budget.held:
            assert not waiting


Bounds.TestCase.settings = settings(max_examples=50, stateful_step_count=40, deadline=None)
TestBounds = Bounds.TestCase
