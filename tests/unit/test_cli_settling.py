"""A command asks on while the daemon is still reading what decides its answer."""

from __future__ import annotations

from alight.cli.session import ask
from alight.model import Stamp
from alight.wire.messages import Header, Message
from alight.wire.requests import AnswerReply, GetAnswer
from support.commandline import answer


class _Starting:
    """A daemon that has read enough at the third question."""

    def __init__(self) -> None:
        self.asked = 0

    def request(self, message: Message) -> tuple[Header, Message]:
        assert isinstance(message, GetAnswer)
        self.asked += 1
        reply = AnswerReply(answer("trusted" if self.asked == 3 else "none"), settled=self.asked == 3)
        return Header("1", b"", Stamp("e", 1), b"/"), reply


def test_the_answer_is_the_settled_one() -> None:
    """What is not settled is not shown."""
    service = _Starting()
    _, reply = ask(service, GetAnswer(b"/"), AnswerReply)
    assert (service.asked, reply.answer.state) == (3, "trusted")
