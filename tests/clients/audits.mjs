// The audits of GraphQL over HTTP, and what became of each.
import { auditServer } from "graphql-http";

import { asked, authorization, say } from "./asked.mjs";

const results = await auditServer({
  url: asked.address,
  fetchFn: (url, options) =>
    fetch(url, { ...options, headers: { ...options?.headers, authorization } }),
});
say(results.map(({ id, name, status, reason }) => ({ id, name, status, reason })));
