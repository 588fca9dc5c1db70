import type { QueryClient } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import { api, read } from "./client";
import { keysTouchedBy, type LiveMessage, pushedEvent, type TailEvent } from "./live";

export type LinkState = "connecting" | "live" | "offline";

/** Events kept for the tail. Older ones are a page of the list away. */
const TAIL_MAX = 500;
/** A burst of publications costs one refetch, not one each. */
const COALESCE_MS = 350;

let state: LinkState = "connecting";
let tail: TailEvent[] = [];
const listeners = new Set<() => void>();

function tell() {
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useLinkState(): LinkState {
  return useSyncExternalStore(subscribe, () => state);
}

/** Events that arrived since the console was opened, newest first. */
export function useEventTail(): TailEvent[] {
  return useSyncExternalStore(subscribe, () => tail);
}

function setState(next: LinkState) {
  if (state === next) return;
  state = next;
  tell();
}

/** Opens the one connection a page has; returns how to close it. */
export function connectRealtime(client: QueryClient): () => void {
  let closed = false;
  let close = () => {};
  void start(client, (c) => {
    if (closed) c();
    else close = c;
  });
  return () => {
    closed = true;
    close();
  };
}

async function start(client: QueryClient, onOpen: (close: () => void) => void) {
  // The protocol client is a third of the shell's size and nothing on the first screen waits for it.
  const { Centrifuge } = await import("centrifuge");
  const address = `${location.origin.replace(/^http/, "ws")}/connection/websocket`;
  const link = new Centrifuge(address, {
    getToken: async () => (await read(api.POST("/v1/realtime/token"))).token,
  });
  const refresh = coalesced(client);
  let wasAway = false;
  link.on("connected", () => {
    setState("live");
    // Whatever happened while we were away was not pushed to us.
    if (wasAway) void client.invalidateQueries();
    wasAway = true;
  });
  link.on("connecting", () => setState("connecting"));
  link.on("disconnected", () => setState("offline"));
  link.on("publication", (publication) => {
    const message = publication.data as LiveMessage;
    const event = pushedEvent(message);
    if (event) {
      tail = [event, ...tail.filter((known) => known.id !== event.id)].slice(0, TAIL_MAX);
      tell();
    }
    refresh(keysTouchedBy(publication.channel, message));
  });
  link.connect();
  onOpen(() => {
    link.disconnect();
    tail = [];
    setState("connecting");
  });
}

function coalesced(client: QueryClient): (resources: string[]) => void {
  const pending = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  return (resources) => {
    for (const resource of resources) pending.add(resource);
    timer ??= setTimeout(() => {
      timer = undefined;
      for (const resource of pending) void client.invalidateQueries({ queryKey: [resource] });
      pending.clear();
    }, COALESCE_MS);
  };
}
