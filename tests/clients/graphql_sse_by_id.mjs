// graphql-sse, taking the feed up again by Last-Event-ID; it keeps no ids itself.
import { asked, authorization } from "./asked.mjs";
import { FEED, seen } from "./documents.mjs";
import { eventStreams } from "./event_streams.mjs";

const client = eventStreams(() => ({
  authorization,
  ...(seen.position === null ? {} : { "last-event-id": String(seen.position) }),
}));

export const follow = () => client.iterate({ query: FEED, variables: { key: asked.key } });
