// Apollo Client without React: a cache in front of HTTP, and graphql-ws for what it follows.
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from "@apollo/client/core";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";

import { asked, authorization } from "./asked.mjs";
import { FEED } from "./documents.mjs";
import { socket } from "./graphql_ws.mjs";
import { pulled } from "./pulled.mjs";

const client = new ApolloClient({
  cache: new InMemoryCache(),
  link: ApolloLink.split(
    ({ operationType }) => operationType === "subscription",
    new GraphQLWsLink(socket),
    new HttpLink({ uri: asked.address, headers: { authorization } }),
  ),
  defaultOptions: { query: { errorPolicy: "all" } },
});

const answer = ({ data, error }) => ({ data, errors: error?.errors });

export const query = async (document, variables) =>
  answer(await client.query({ query: gql(document), variables }));
export const mutate = async (document, variables) =>
  answer(await client.mutate({ mutation: gql(document), variables }));
export const follow = () =>
  pulled(client.subscribe({ query: gql(FEED), variables: { key: asked.key } }));
