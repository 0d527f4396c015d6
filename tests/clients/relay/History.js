// A history page by page, as an application on Relay has it. It is compiled, and never run.
import { graphql } from "relay-runtime";

export const query = graphql`
  query HistoryQuery($key: String!) {
    environment(key: $key) {
      name
      ...History_environment
    }
  }
`;

export const fragment = graphql`
  fragment History_environment on Environment
  @argumentDefinitions(count: { type: "Int", defaultValue: 20 }, cursor: { type: "String" })
  @refetchable(queryName: "HistoryPaginationQuery") {
    history(first: $count, after: $cursor, order: OLDEST_FIRST)
      @connection(key: "History_environment_history") {
      edges {
        node {
          id
          position
          summary
          by {
            name
          }
        }
      }
    }
  }
`;
