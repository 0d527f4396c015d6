// urql without a framework. How it subscribes is what its two ways differ in.
import { Client } from "@urql/core";

import { asked, authorization } from "./asked.mjs";
import { FEED } from "./documents.mjs";
import { pulled } from "./pulled.mjs";

const answer = ({ data, error }) => ({ data, errors: error?.graphQLErrors });

export const urql = (options) => {
  const client = new Client({
    url: asked.address,
    fetchOptions: { headers: { authorization } },
    preferGetMethod: false,
    ...options,
  });
  return {
    query: async (document, variables) => answer(await client.query(document, variables)),
    mutate: async (document, variables) => answer(await client.mutation(document, variables)),
    follow: () => pulled(client.subscription(FEED, { key: asked.key })),
  };
};
