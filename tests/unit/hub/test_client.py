"""A client that does not read costs a bounded amount of memory, and then its stream."""

from tests.unit.hub.wires import HandWire, client

from quantdesk.hub.frames import frame


def test_keeps_what_must_not_be_lost_until_there_is_room_in_its_order() -> None:
    wire = HandWire()
    slow = client(wire)
    wire.congested = True
    for number in range(5):
        slow.send(frame(b"%d" % number))
    assert wire.written == []

    wire.relieve(room=2)
    assert wire.messages() == [0, 1]
    slow.send(frame(b"5"))
    wire.relieve()

    assert wire.messages() == [2, 3, 4, 5]
    assert slow.waiting_bytes == 0


def test_is_told_to_come_back_when_too_much_waits() -> None:
    wire = HandWire()
    slow = client(wire, bytes_max=100)
    wire.congested = True
    slow.send(b"x" * 100)
    assert wire.ended is None
    assert not slow.dropped

    slow.send(b"x")
    slow.send(b"x")
    wire.relieve()

    assert wire.ended is not None
    assert wire.ended[0] == 1013
    assert slow.dropped
    assert slow.waiting_bytes == 0
    assert wire.written == []


def test_closes_after_what_waits_was_sent() -> None:
    wire = HandWire()
    slow = client(wire)
    wire.congested = True
    slow.send(frame(b"1"))
    slow.end(1000)
    slow.send(frame(b"2"))
    assert wire.ended is None

    wire.relieve()

    assert wire.messages() == [1]
    assert wire.ended == (1000, "")


def test_says_when_there_is_room_for_more() -> None:
    wire, rooms = HandWire(), []
    slow = client(wire)
    slow.room = lambda: rooms.append(wire.congested)
    wire.congested = True
    slow.send(frame(b"1"))
    slow.send(frame(b"2"))
    wire.relieve(room=2)
    assert rooms == []

    wire.relieve()

    assert rooms == [False]
