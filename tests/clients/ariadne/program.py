"""A program on the client that ariadne-codegen makes of our schema and of `operations.graphql`.

Law: it reads what it is to do as JSON, writes what it saw as JSON, and touches typed values only.
"""

import asyncio
import json
import sys

from syncledger_client import (  # type: ignore[import-not-found] # it is made where this runs
    ChangeMode,
    ChangeSettingsInput,
    Client,
    Permission,
    SettingChange,
    SwitchInput,
    SyncDirection,
    SyncDirectionInput,
)


async def main() -> None:
    asked = json.load(sys.stdin)
    key, address = asked["key"], asked["address"]
    authorization = {"authorization": f"Bearer {asked['token']}"}
    tasks = SettingChange(assigned_tasks=SwitchInput(enabled=True))
    notes = SettingChange(
        sync_direction=SyncDirectionInput(mapping="contact.notes", direction=SyncDirection.NONE)
    )
    async with Client(
        url=address,
        headers=authorization,
        ws_url=address.replace("http", "ws", 1),
        ws_connection_init_payload=authorization,
    ) as client:
        before = (await client.read_settings(key)).environment
        feed = client.follow_feed(key)
        heartbeat = (await anext(feed)).settings_feed
        changed = await client.change_settings(
            ChangeSettingsInput(environment_key=key, changes=[tasks, notes])
        )
        appended = (await anext(feed)).settings_feed
        await feed.aclose()
        preview = ChangeSettingsInput(environment_key=key, changes=[tasks], mode=ChangeMode.PREVIEW)
        previewed = await client.change_settings(preview)
        after = (await client.read_settings(key)).environment
    seen = {
        "registered": before.registered_at.tzname(),
        "may_change": Permission.CHANGE_SETTINGS in before.viewer_can,
        "before": before.settings.assigned_tasks.enabled,
        "heartbeat": [heartbeat.typename__, heartbeat.position],
        "changed": changed.change_settings.change_set.position,
        "appended": [each.setting for each in appended.change_set.changes],
        "previewed": previewed.change_settings.changes,
        "after": after.settings.assigned_tasks.enabled,
    }
    sys.stdout.write(json.dumps(seen))


asyncio.run(main())
