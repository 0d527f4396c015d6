// graphql-sse, taking the feed up again by `after`.
import { authorization } from "./asked.mjs";
import { FEED, afterWhatWasSeen } from "./documents.mjs";
import { eventStreams } from "./event_streams.mjs";

const client = eventStreams({ authorization });

export const query = async (query, variables) =>
  (await client.iterate({ query, variables }).next()).value;
export const mutate = query;
export const follow = () => client.iterate({ query: FEED, variables: afterWhatWasSeen });
