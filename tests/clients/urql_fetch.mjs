// urql, which subscribes by its own reading of event streams, and asks by GET.
import { fetchExchange } from "@urql/core";

import { urql } from "./urql.mjs";

export const { query, mutate, follow } = urql({
  exchanges: [fetchExchange],
  fetchSubscriptions: true,
  preferGetMethod: "force",
});
