import asyncio
from uuid import uuid4

from conftest import Process
from given import ADMINISTRATOR, KEY, PLATFORM, REGISTER

from domain.actor import Actor
from domain.environment import Command
from domain.plan import Ask
from domain.switches import SwitchAppointmentAttachments
from eventstore.transact import Applied, Outcome, Request


async def ask(
    process: Process,
    *commands: Command,
    actor: Actor = ADMINISTRATOR,
    environment: str = KEY,
    reason: str | None = None,
    request_id: object = None,
) -> Outcome:
    return await process.appender.transact(
        Request(
            ask=Ask(environment=environment, commands=commands, actor=actor),
            reason=reason,
            request_id=request_id,
        )
    )


async def test_smoke(process: Process) -> None:
    one = await ask(process, REGISTER, actor=PLATFORM, reason="because")
    assert isinstance(one, Applied)
    rid = uuid4()
    two = await ask(process, SwitchAppointmentAttachments(on=True), request_id=rid)
    assert isinstance(two, Applied)
    assert two.standing.position == 3
    again = await ask(process, SwitchAppointmentAttachments(on=True), request_id=rid)
    assert isinstance(again, Applied)
    assert again.replayed
    assert again.change_set == two.change_set
    print(await process.projector.catch_up())
    print(await process.projector.catch_up())
    outcomes = await asyncio.gather(*(ask(process, SwitchAppointmentAttachments(on=i%2==0)) for i in range(50)))
    print(outcomes[-1].standing.position)
