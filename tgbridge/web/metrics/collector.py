"""The numbers in prometheus-client's terms, in a registry of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from tgbridge.web.metrics.families import FAMILIES, Distribution, Family

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from prometheus_client.core import Metric

    from tgbridge.web.metrics.sources import Sources


class _Taken(Collector):
    """Metrics that have been read already."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = tuple(metrics)

    def collect(self) -> Iterator[Metric]:
        """Give them."""
        yield from self._metrics


def read(sources: Sources) -> list[Metric]:
    """Read all of the service's own numbers, of one moment. On the event loop, which changes them."""
    return [
        _histogram(family, sources) if isinstance(family, Distribution) else _metric(family, sources)
        for family in FAMILIES
    ]


def encode(metrics: Iterable[Metric], accept: str) -> tuple[bytes, str]:
    """Write them, and those of the process as far as the system tells them; with the media type.

    As text or as OpenMetrics, whichever an Accept field asks for. Reads files of the system: in a thread.
    """
    registry = CollectorRegistry()
    registry.register(_Taken(metrics))
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    encoder, content_type = choose_encoder(accept)
    return encoder(registry), content_type


def _histogram(family: Distribution, sources: Sources) -> HistogramMetricFamily:
    metric = HistogramMetricFamily(family.name, family.meaning, labels=family.labels)
    for labels, histogram in family.read(sources):
        metric.add_metric(labels, histogram.buckets(), histogram.total)
    return metric


def _metric(family: Family, sources: Sources) -> Metric:
    if family.kind == "info":
        info = InfoMetricFamily(family.name, family.meaning)
        for labels, _ in family.read(sources):
            info.add_metric((), dict(zip(family.labels, labels, strict=True)))
        return info
    kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    metric = kind(family.name, family.meaning, labels=family.labels)
    for labels, value in family.read(sources):
        metric.add_metric(labels, value)
    return metric
