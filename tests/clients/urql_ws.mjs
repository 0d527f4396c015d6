// urql, which subscribes through graphql-ws.
import { fetchExchange, subscriptionExchange } from "@urql/core";

import { socket } from "./graphql_ws.mjs";
import { urql } from "./urql.mjs";

const forwardSubscription = (operation) => ({
  subscribe: (sink) => ({ unsubscribe: socket.subscribe(operation, sink) }),
});

export const { query, mutate, follow } = urql({
  exchanges: [fetchExchange, subscriptionExchange({ forwardSubscription })],
});
