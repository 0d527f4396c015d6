// graphql-ws: everything over one WebSocket, which it opens again by itself.
import { setTimeout } from "node:timers/promises";

import { createClient } from "graphql-ws";
import WebSocket from "ws";

import { asked, authorization } from "./asked.mjs";
import { FEED, afterWhatWasSeen } from "./documents.mjs";

export const socket = createClient({
  url: asked.address.replace("http", "ws"),
  webSocketImpl: WebSocket,
  connectionParams: { authorization },
  retryAttempts: 100,
  retryWait: () => setTimeout(20),
  shouldRetry: () => true,
});

export const query = async (query, variables) =>
  (await socket.iterate({ query, variables }).next()).value;
export const mutate = query;
export const follow = () => socket.iterate({ query: FEED, variables: afterWhatWasSeen });
