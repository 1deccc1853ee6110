"""Bugs, each put into the package or the daemon on purpose: the storm must see every one of them."""
from tidemark import Lookup, Presence, Row
from tidemark import _cache as module

_Reads, Cache, Snapshot = module._Reads, module.Cache, module.Snapshot
_get, _list, _nearest, _item = _Reads.get, _Reads.list, _Reads.nearest, Row.__getitem__


def another_row():
    def get(self, collection, key):
        found = _get(self, collection, key)
        rows = self.list(collection, 1) if found and key.endswith("7") else []
        return Lookup(Presence.HIT, rows[0]) if rows else found
    _Reads.get = get


def a_row_of_before():
    known = {}

    def get(self, collection, key):
        found = _get(self, collection, key)
        return known.setdefault((collection, key), found) if found else found
    _Reads.get = get


def unknown_is_absent():
    def get(self, collection, key):
        found = _get(self, collection, key)
        return Lookup(Presence.ABSENT, None) if not found else found
    _Reads.get = get


def a_hit_is_absent():
    def get(self, collection, key):
        found = _get(self, collection, key)
        return Lookup(Presence.ABSENT, None) if collection == "heuristics" else found
    _Reads.get = get


def a_list_loses_its_last():
    _Reads.list = lambda self, *words, **more: _list(self, *words, **more)[:-1]


def a_list_of_before():
    known = {}
    _Reads.list = lambda self, collection, *words, **more: (
        _list(self, collection, *words, **more) if words or more
        else known.setdefault(collection, _list(self, collection)))


def a_snapshot_that_moves():
    def snapshot(self):
        made = _snapshot(self)
        made._open_handle = self._open_handle
        return made
    _snapshot, Cache.snapshot = Cache.snapshot, snapshot


def two_columns_exchanged():
    Row.__getitem__ = lambda self, name: _item(self, {"number": "ratio", "ratio": "number"}.get(name, name))


def a_vector_of_another():
    known = []

    def item(self, name):
        cell = _item(self, name)
        if name == "embedding_vector":
            known.append(cell)
            return known[-7] if len(known) > 6 else cell
        return cell
    Row.__getitem__ = item


def the_nearest_is_lost():
    def nearest(self, *words, **more):
        found = _nearest(self, *words, **more)
        del found.neighbours[:1]
        return found
    _Reads.nearest = nearest


def an_inherited_handle_is_used():
    def open_handle(self):
        return self._opened[1]
    Cache._open_handle = open_handle


def a_daemon_that_stands_still():
    """Here the package is as ever; the daemon is given an interval of an hour."""


PLANTS = {plant.__name__: plant for plant in (
    another_row, a_row_of_before, unknown_is_absent, a_hit_is_absent, a_list_loses_its_last, a_list_of_before,
    a_snapshot_that_moves, two_columns_exchanged, a_vector_of_another, the_nearest_is_lost,
    an_inherited_handle_is_used, a_daemon_that_stands_still)}
