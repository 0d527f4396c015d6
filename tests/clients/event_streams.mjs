// graphql-sse in its distinct connections mode: a request for every operation, sent again by itself.
import { setTimeout } from "node:timers/promises";

import { createClient } from "graphql-sse";

import { asked } from "./asked.mjs";

export const eventStreams = (headers) =>
  createClient({
    url: asked.address,
    headers,
    retryAttempts: 100,
    retry: () => setTimeout(20),
  });
