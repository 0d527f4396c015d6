// EventSource, as browsers have it: it keeps the last id and connects again, all by itself.
import { on } from "node:events";

import { EventSource } from "eventsource";

import { asked, authorization } from "./asked.mjs";
import { FEED } from "./documents.mjs";

export async function* follow() {
  const url = new URL(asked.address);
  url.searchParams.set("query", FEED);
  url.searchParams.set("variables", JSON.stringify({ key: asked.key }));
  const source = new EventSource(url, {
    fetch: (target, options) =>
      fetch(target, { ...options, headers: { ...options.headers, authorization } }),
  });
  source.addEventListener("error", ({ code, message }) => {
    if (code) throw new Error(`${code}: ${message}`);
  });
  try {
    for await (const [event] of on(source, "next")) yield JSON.parse(event.data);
  } finally {
    source.close();
  }
}
