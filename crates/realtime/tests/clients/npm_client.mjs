// The npm client against a hub: every transport, every command, and a reconnect without a gap.
import assert from 'node:assert/strict';
import { Centrifuge } from 'centrifuge';
import EventSource from 'eventsource';
import WebSocket from 'ws';

const address = process.env.PLINTH_REALTIME_ADDRESS;
const run = process.pid + '-' + Date.now();

const transports = {
  websocket: () => `ws://${address}/connection/websocket`,
  sse: () => [{ transport: 'sse', endpoint: `http://${address}/connection/sse` }],
  http_stream: () => [{ transport: 'http_stream', endpoint: `http://${address}/connection/http_stream` }],
};

function client(transport, token, options = {}) {
  return new Centrifuge(transports[transport](), {
    websocket: WebSocket,
    eventsource: EventSource,
    fetch,
    readableStream: ReadableStream,
    emulationEndpoint: `http://${address}/emulation`,
    token: JSON.stringify(token),
    minReconnectDelay: 50,
    maxReconnectDelay: 200,
    ...options,
  });
}

async function control(what, body) {
  const answer = await fetch(`http://${address}/test/${what}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  assert.equal(answer.status, 200);
}

const publish = (channel, data) => control('publish', { channel, data });

/** The next event of a kind; a test must not wait for ever. */
function event(emitter, name, isIt = () => true) {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`no ${name} in time`)), 10_000);
    const heard = (context) => {
      if (!isIt(context)) return;
      clearTimeout(late);
      emitter.off(name, heard);
      resolve(context);
    };
    emitter.on(name, heard);
  });
}

/** Collects publications until there are this many. */
async function until(list, count) {
  const deadline = Date.now() + 10_000;
  while (list.length < count) {
    assert.ok(Date.now() < deadline, `${list.length} of ${count} publications in time`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const tests = {
  async 'subscribes, hears, reads history and presence, unsubscribes'(transport) {
    const channel = `room:${run}-${transport}`;
    const centrifuge = client(transport, { user: 'ann', info: { name: 'Ann' } });
    const connected = event(centrifuge, 'connected');
    const subscription = centrifuge.newSubscription(channel, { joinLeave: true });
    const joined = event(subscription, 'join', (context) => context.info.user === 'ann');
    subscription.subscribe();
    centrifuge.connect();
    assert.equal((await connected).transport, transport);
    await subscription.ready(10_000);
    await joined;

    const heard = [];
    subscription.on('publication', (context) => heard.push(context));
    for (let n = 1; n <= 20; n++) await publish(channel, { n });
    await until(heard, 20);
    assert.deepEqual(heard.map((context) => context.data.n), Array.from({ length: 20 }, (_, n) => n + 1));
    assert.deepEqual(heard.map((context) => context.offset), Array.from({ length: 20 }, (_, n) => n + 1));

    const echoed = event(subscription, 'publication', (context) => context.data.text === 'grüße\n');
    await subscription.publish({ text: 'grüße\n' });
    assert.equal((await echoed).info.user, 'ann');

    const history = await subscription.history({ limit: 3, reverse: true });
    assert.deepEqual(history.publications.map((publication) => publication.offset), [21, 20, 19]);
    const { clients } = await subscription.presence();
    assert.deepEqual(Object.values(clients).map((info) => [info.user, info.connInfo]), [['ann', { name: 'Ann' }]]);
    const stats = await subscription.presenceStats();
    assert.deepEqual([stats.numClients, stats.numUsers], [1, 1]);
    await assert.rejects(centrifuge.rpc('nothing', {}), (error) => error.code === 104);

    const left = event(subscription, 'unsubscribed');
    subscription.unsubscribe();
    await left;
    centrifuge.disconnect();
  },

  async 'comes back after a forced reconnect and has missed nothing'(transport) {
    const channel = `feed:${run}-${transport}`;
    const user = `back-${transport}`;
    const centrifuge = client(transport, { user });
    const subscription = centrifuge.newSubscription(channel);
    const heard = [];
    subscription.on('publication', (context) => heard.push(context.data));
    subscription.subscribe();
    centrifuge.connect();
    await subscription.ready(10_000);
    await publish(channel, 1);
    await until(heard, 1);
    for (let round = 0; round < 3; round++) {
      const recovered = event(subscription, 'subscribed', (context) => context.wasRecovering);
      const connecting = event(centrifuge, 'connecting', (context) => context.code === 3011);
      await control('reconnect', { user });
      await connecting;
      await publish(channel, 2 + round);
      assert.equal((await recovered).recovered, true);
    }
    await until(heard, 4);
    assert.deepEqual(heard, [1, 2, 3, 4]);
    centrifuge.disconnect();
  },

  async 'answers pings'(transport) {
    const centrifuge = client(transport, { user: 'ping' }, { maxServerPingDelay: 1_000 });
    let lost = 0;
    centrifuge.on('connecting', () => lost++);
    centrifuge.connect();
    await centrifuge.ready(10_000);
    // The test server pings every second and waits one for the answer.
    await new Promise((resolve) => setTimeout(resolve, 3_500));
    assert.equal(lost, 1, 'connected once and stayed');
    centrifuge.disconnect();
  },

  async 'hears its own channels without asking'(transport) {
    const channel = `feed:own-${run}-${transport}`;
    const centrifuge = client(transport, { user: 'own', channels: [channel] });
    const subscribed = event(centrifuge, 'subscribed', (context) => context.channel === channel);
    const heard = event(centrifuge, 'publication', (context) => context.channel === channel);
    centrifuge.connect();
    assert.equal((await subscribed).recoverable, true);
    await publish(channel, 'yours');
    assert.equal((await heard).data, 'yours');
    centrifuge.disconnect();
  },

  async 'refreshes its token before it expires'(transport) {
    let asked = 0;
    const getToken = async () => {
      asked++;
      return JSON.stringify({ user: 'fresh', ttl_ms: 1_500 });
    };
    const centrifuge = client(transport, { user: 'fresh', deny: 'expired' }, { getToken });
    let connects = 0;
    centrifuge.on('connected', () => connects++);
    centrifuge.connect();
    await centrifuge.ready(10_000);
    assert.equal(asked, 1, 'an expired token is replaced before the second attempt');
    const deadline = Date.now() + 10_000;
    while (asked < 3) {
      assert.ok(Date.now() < deadline);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.equal(connects, 1, 'refreshed in place');
    centrifuge.disconnect();
  },

  async 'stays away when it is told to'(transport) {
    const centrifuge = client(transport, { deny: 'invalid' });
    const gone = event(centrifuge, 'disconnected');
    centrifuge.connect();
    assert.equal((await gone).code, 3500);
    const denied = client(transport, { user: 'ann' });
    const subscription = denied.newSubscription('feed:#bob');
    const refused = event(subscription, 'unsubscribed');
    subscription.subscribe();
    denied.connect();
    assert.equal((await refused).code, 103);
    denied.disconnect();
  },
};

async function checkAll(transport) {
  for (const [promise, check] of Object.entries(tests)) {
    await check(transport);
    console.log(`npm centrifuge over ${transport}: ${promise}`);
  }
}

await Promise.all(Object.keys(transports).map(checkAll));
process.exit(0);
