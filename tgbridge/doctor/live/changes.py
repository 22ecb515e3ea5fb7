"""Changes: edits, deletions, and how updates.getDifference tells of them."""

from __future__ import annotations

from typing import Any

from telethon.tl import functions, types

from tgbridge.doctor.live.account import ME, Live, input_document
from tgbridge.doctor.live.beliefs import Seen, belief, expect, unseen


@belief("holds-id")
async def same_file(live: Live) -> Seen:
    """Send a document twice, and another one."""
    document: types.Document = live.notes["document"]
    again = await live.message(await live.send(input_document(document), "the same"))
    other = await live.make_document(await live.store(b"another", "another.txt"), "text/plain", "another.txt")
    return expect(
        again.media.document.id == document.id != other.id,
        "A file has one id in all messages, and another file another one.",
        "Ids do not name files.",
    )


@belief("holds-entities")
async def entities(live: Live) -> Seen:
    """Send a caption with a bold word behind an emoji."""
    text = live.text("\N{GRINNING FACE} bold")
    offset = len(text.encode("utf-16-le")) // 2 - len("bold")
    bold = types.MessageEntityBold(offset, len("bold"))
    request = functions.messages.EditMessageRequest(ME, live.notes["message"], message=text, entities=[bold])
    await live.ask(request)
    message = await live.message(live.notes["message"])
    found = [(one.offset, one.length) for one in message.entities or ()]
    return expect(
        message.message == text and found == [(offset, len("bold"))],
        "Entities are counted in UTF-16.",
        f"An entity at {offset} came back as {found}.",
    )


@belief("change-edit")
async def edit(live: Live) -> Seen:
    """Change a caption, and change it to what it is."""
    message_id: int = live.notes["message"]
    before = await live.message(message_id)
    live.notes["state"] = await live.ask(functions.updates.GetStateRequest())
    request = functions.messages.EditMessageRequest(ME, message_id, message=live.text("another one"))
    await live.ask(request)
    again = await live.refused(request)
    after = await live.message(message_id)
    right = after.message == live.text("another one") and after.media.document.id == before.media.document.id
    return expect(
        right and after.edit_date is not None and again == "MESSAGE_NOT_MODIFIED",
        "The caption is another, the file the same, edit_date is set; once more is MESSAGE_NOT_MODIFIED.",
        f"The message is not as it was edited; once more: {again or 'taken'}.",
    )


@belief("change-deleted")
async def deleted(live: Live) -> Seen:
    """Delete a message of ours, and once more."""
    message_id: int = live.notes["message"]
    request = functions.messages.DeleteMessagesRequest([message_id], revoke=True)
    first, again = await live.ask(request), await live.ask(request)
    live.made.discard(message_id)
    later = await live.send(input_document(live.notes["document"]), "after it")
    return expect(
        (first.pts_count, again.pts_count) == (1, 0) and later > message_id,
        "pts_count says how many are gone: 1, then 0; the next message has a higher id.",
        f"pts_count says {first.pts_count}, then {again.pts_count}.",
    )


@belief("update-difference")
async def difference(live: Live) -> Seen:
    """Ask what has happened since before the edit."""
    state: types.updates.State | None = live.notes.get("state")
    if state is None:
        return unseen("Nothing was edited.")
    told = await live.ask(
        functions.updates.GetDifferenceRequest(pts=state.pts, date=state.date, qts=state.qts)
    )
    live.notes["difference"] = told
    added = {one.id for one in getattr(told, "new_messages", ())}
    has_deletion = any(live.notes["message"] in update.messages for update in _deletions(told))
    return expect(
        has_deletion and live.made & added and live.notes["message"] not in added,
        "What this session has added and deleted since is told, without what is gone.",
        f"{type(told).__name__}: the deletion {'is' if has_deletion else 'is not'} told.",
        kind=type(told).__name__,
    )


def _deletions(told: Any) -> list[types.UpdateDeleteMessages]:
    updates = getattr(told, "other_updates", ())
    return [update for update in updates if isinstance(update, types.UpdateDeleteMessages)]


@belief("update-deletions")
async def deletions(live: Live) -> Seen:
    """See what is left of a message that was deleted."""
    gone = await live.message(live.notes["message"])
    return expect(
        isinstance(gone, types.MessageEmpty) and _deletions(live.notes.get("difference")),
        "An updateDeleteMessages names its id, and messages.getMessages answers messageEmpty.",
        f"messages.getMessages answers {type(gone).__name__}.",
    )


@belief("update-pts")
async def pts(live: Live) -> Seen:
    """Send a message, and see how the state moves on by it."""
    before = await live.ask(functions.updates.GetStateRequest())
    document = input_document(live.notes["document"])
    await live.send(document, "one more")
    after = await live.ask(functions.updates.GetStateRequest())
    step = after.pts - before.pts
    if step == 1:
        return expect(True, "A message moves pts on by its pts_count, 1.", "")
    return unseen(f"pts has moved on by {step}: others may be at work on the account.", step=step)


@belief("update-slices")
async def slices(live: Live) -> Seen:
    """Ask for one change at a time, and from a pts that never was."""
    state: types.updates.State | None = live.notes.get("state")
    if state is None:
        return unseen("Nothing was edited.")
    request = functions.updates.GetDifferenceRequest(
        pts=state.pts, date=state.date, qts=state.qts, pts_limit=1
    )
    told = await live.ask(request)
    name = await live.refused(functions.updates.GetDifferenceRequest(pts=0, date=state.date, qts=state.qts))
    return expect(
        isinstance(told, types.updates.DifferenceSlice) and name.startswith("PERSISTENT_TIMESTAMP_"),
        f"pts_limit makes slices; {name} for a pts that never was.",
        f"{type(told).__name__} with pts_limit; {name or 'an answer'} for a pts that never was.",
    )
