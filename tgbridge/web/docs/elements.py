"""HTML as a tree, which is escaped when it is written: no text can become markup."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, TypeAlias
from xml.etree.ElementTree import Element, tostring  # it writes, and reads nothing

if TYPE_CHECKING:
    from collections.abc import Iterable

Child: TypeAlias = "Element | str | None"


def make(tag: str, *children: Child | Iterable[Child], **attributes: str | bool | None) -> Element:
    """Make an element. Attributes that are None or False are left out, True has no value.

    Of an attribute's name an underscore behind it is dropped, others are hyphens: ``for_``, ``data_kind``.
    """
    written = {
        name.removesuffix("_").replace("_", "-"): "" if value is True else str(value)
        for name, value in attributes.items()
        if value is not None and value is not False
    }
    element = Element(tag, written)
    for child in chain.from_iterable(_each(child) for child in children):
        if isinstance(child, Element):
            element.append(child)
        elif child:
            _add_text(element, child)
    return element


def write(element: Element) -> str:
    """Write a document (HTML, section 13.1)."""
    return f"<!DOCTYPE html>\n{tostring(element, encoding='unicode', method='html')}\n"


def _each(child: Child | Iterable[Child]) -> Iterable[Child]:
    return (child,) if child is None or isinstance(child, str | Element) else child


def _add_text(element: Element, text: str) -> None:
    if len(element):
        element[-1].tail = (element[-1].tail or "") + text
    else:
        element.text = (element.text or "") + text
