"""Messages that are only accepted: each conversation posts the next when the last was accepted, and hears nothing."""

import asyncio
import time

from tests.bench.talk import TEXTS, Talk, open_talks, until


class _Posting:
    """One conversation that posts."""

    def __init__(self, talk: Talk, messages: int) -> None:
        self._talk = talk
        self._left = messages
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        talk.accepted = lambda _: self.say()

    def say(self) -> None:
        if not self._left:
            self.done.set_result(None)
            return
        self._left -= 1
        self._talk.say(TEXTS[0] % self._left)


async def post(host: str, bot_id: str, conversations: int, messages: int) -> float:
    """Post so many messages in each of so many new conversations; return messages a second. Raises Broken."""
    talks = [Talk(host, listens=False) for _ in range(conversations)]
    await open_talks(talks, bot_id)
    posting = [_Posting(talk, messages) for talk in talks]
    began = time.perf_counter()
    for one in posting:
        one.say()
    await until([one.done for one in posting], talks)
    seconds = time.perf_counter() - began
    for talk in talks:
        talk.close()
    return conversations * messages / seconds
