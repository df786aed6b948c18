"""Use cases about import filters and the records that they leave outside are made from ports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.wiring.connection_use_cases import filter_check

if TYPE_CHECKING:
    from bridge.mirror.filter_archive import FilterArchive
    from bridge.mirror.filter_marks import FilterMarks
    from bridge.mirror.filter_preview import FilterPreview
    from bridge.mirror.walk import MirrorWalk
    from bridge.wiring.ports import Ports


def mirror_walk(ports: Ports) -> MirrorWalk:
    from bridge.mirror.walk import MirrorWalk

    return MirrorWalk(ports.records, ports.clock)


def filter_preview(ports: Ports) -> FilterPreview:
    from bridge.mirror.filter_preview import FilterPreview

    return FilterPreview(mirror_walk(ports), ports.gateway, filter_check(ports))


def filter_archive(ports: Ports) -> FilterArchive:
    from bridge.mirror.filter_archive import FilterArchive

    return FilterArchive(ports.records, ports.archivings, mirror_walk(ports), ports.clock)


def filter_marks(ports: Ports) -> FilterMarks:
    from bridge.mirror.filter_marks import FilterMarks

    return FilterMarks(ports.connections, mirror_walk(ports))
