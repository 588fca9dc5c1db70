"""The PyPI client against a hub: every command, and a reconnect without a gap."""

import asyncio
import json
import os
import time
import urllib.request

from centrifuge import (
    CentrifugeError,
    Client,
    ClientEventHandler,
    SubscriptionEventHandler,
)

ADDRESS = os.environ["PLINTH_REALTIME_ADDRESS"]
RUN = f"py-{os.getpid()}-{time.time_ns()}"


def post(what, body):
    request = urllib.request.Request(
        f"http://{ADDRESS}/test/{what}",
        data=json.dumps(body).encode(),
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200


async def publish(channel, data):
    await asyncio.to_thread(post, "publish", {"channel": channel, "data": data})


class ClientEvents(ClientEventHandler):
    def __init__(self):
        self.log = asyncio.Queue()
        self.heard = asyncio.Queue()

    async def on_connected(self, ctx):
        await self.log.put(("connected", ctx))

    async def on_connecting(self, ctx):
        await self.log.put(("connecting", ctx))

    async def on_disconnected(self, ctx):
        await self.log.put(("disconnected", ctx))

    async def on_publication(self, ctx):
        await self.heard.put((ctx.channel, ctx.pub.data))


class SubscriptionEvents(SubscriptionEventHandler):
    def __init__(self):
        self.log = asyncio.Queue()
        self.heard = asyncio.Queue()

    async def on_subscribed(self, ctx):
        await self.log.put(("subscribed", ctx))

    async def on_unsubscribed(self, ctx):
        await self.log.put(("unsubscribed", ctx))

    async def on_join(self, ctx):
        await self.log.put(("join", ctx))

    async def on_publication(self, ctx):
        await self.heard.put(ctx.pub)


async def of(events, kind):
    """The next event of a kind; a test must not wait for ever."""
    async with asyncio.timeout(10):
        while True:
            name, ctx = await events.log.get()
            if name == kind:
                return ctx


async def heard(events):
    async with asyncio.timeout(10):
        return await events.heard.get()


def client(token, **options):
    events = ClientEvents()
    made = Client(
        f"ws://{ADDRESS}/connection/websocket",
        token=json.dumps(token),
        events=events,
        min_reconnect_delay=0.05,
        max_reconnect_delay=0.2,
        **options,
    )
    return made, events


async def commands():
    """subscribes, hears, reads history and presence, unsubscribes"""
    channel = f"room:{RUN}"
    made, _ = client({"user": "ann", "info": {"name": "Ann"}})
    events = SubscriptionEvents()
    subscription = made.new_subscription(channel, events=events, join_leave=True)
    await made.connect()
    await subscription.subscribe()
    await of(events, "subscribed")
    assert (await of(events, "join")).info.user == "ann"
    for n in range(1, 21):
        await publish(channel, {"n": n})
    for n in range(1, 21):
        pub = await heard(events)
        assert (pub.data, pub.offset) == ({"n": n}, n), pub
    await subscription.publish({"text": "grüße\n"})
    pub = await heard(events)
    assert (pub.data, pub.info.user) == ({"text": "grüße\n"}, "ann")
    history = await subscription.history(limit=3, reverse=True)
    assert [pub.offset for pub in history.publications] == [21, 20, 19]
    presence = await subscription.presence()
    assert [(info.user, info.conn_info) for info in presence.clients.values()] == [("ann", {"name": "Ann"})]
    stats = await subscription.presence_stats()
    assert (stats.num_clients, stats.num_users) == (1, 1)
    try:
        await made.rpc("nothing", {})
        raise AssertionError("there is no such method")
    except CentrifugeError as error:
        assert "104" in str(error) or getattr(error, "code", None) == 104, repr(error)
    await subscription.unsubscribe()
    await of(events, "unsubscribed")
    await made.disconnect()


async def recovery():
    """comes back after a forced reconnect and has missed nothing"""
    channel, user = f"feed:{RUN}", f"back-{RUN}"
    made, client_events = client({"user": user})
    events = SubscriptionEvents()
    subscription = made.new_subscription(channel, events=events)
    await made.connect()
    await subscription.subscribe()
    await of(events, "subscribed")
    await publish(channel, 1)
    assert (await heard(events)).data == 1
    await of(client_events, "connected")
    for number in range(2, 5):
        await asyncio.to_thread(post, "reconnect", {"user": user})
        assert (await of(client_events, "connecting")).code == 3011
        await publish(channel, number)
        back = await of(events, "subscribed")
        assert back.was_recovering and back.recovered, back
        assert (await heard(events)).data == number
    await made.disconnect()


async def pings_and_own_channels():
    """answers pings, and hears its own channels without asking"""
    channel = f"feed:own-{RUN}"
    made, events = client({"user": "own", "channels": [channel]}, max_server_ping_delay=1.0)
    await made.connect()
    await of(events, "connected")
    # The test server pings every second and waits one for the answer.
    await asyncio.sleep(3.5)
    await publish(channel, "yours")
    async with asyncio.timeout(10):
        assert await events.heard.get() == (channel, "yours")
    assert events.log.empty(), "connected once and stayed"
    await made.disconnect()


async def refresh():
    """refreshes its token before it expires"""
    asked = asyncio.Queue()

    async def get_token(*_):
        await asked.put(None)
        return json.dumps({"user": "fresh", "ttl_ms": 1_500})

    made, events = client({"user": "fresh", "deny": "expired"}, get_token=get_token)
    await made.connect()
    await of(events, "connected")
    for _ in range(3):
        async with asyncio.timeout(10):
            await asked.get()
    assert events.log.empty(), "refreshed in place"
    await made.disconnect()


async def refusals():
    """stays away when it is told to"""
    made, events = client({"deny": "invalid"})
    await made.connect()
    assert (await of(events, "disconnected")).code == 3500
    made, _ = client({"user": "ann"})
    subscription_events = SubscriptionEvents()
    subscription = made.new_subscription("feed:#bob", events=subscription_events)
    await made.connect()
    await subscription.subscribe()
    assert (await of(subscription_events, "unsubscribed")).code == 103
    await made.disconnect()


async def run(check):
    await check()
    print(f"PyPI centrifuge-python over websocket: {check.__doc__}")


async def main():
    checks = (commands, recovery, pings_and_own_channels, refresh, refusals)
    await asyncio.gather(*(run(check) for check in checks))


asyncio.run(main())
