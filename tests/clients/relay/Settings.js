// Settings read, changed and followed, as an application on Relay has them. It is compiled, and never run.
import { graphql } from "relay-runtime";

export const query = graphql`
  query SettingsQuery($key: String!) {
    environment(key: $key) {
      settings {
        ...Settings_settings
      }
    }
  }
`;

export const fragment = graphql`
  fragment Settings_settings on SynchronizationSettings
  @refetchable(queryName: "SettingsRefetchQuery") {
    position
    assignedTasks {
      enabled
      lastChange {
        at
        reason
      }
    }
  }
`;

export const mutation = graphql`
  mutation SettingsChangeMutation($input: ChangeSettingsInput!) {
    changeSettings(input: $input) {
      __typename
      ... on SettingsChanged {
        settings {
          ...Settings_settings
        }
      }
      ... on SettingsRefused {
        refusals {
          code
          message
        }
      }
    }
  }
`;

export const subscription = graphql`
  subscription SettingsFeedSubscription($key: String!, $after: Int) {
    settingsFeed(environmentKey: $key, after: $after) {
      position
      ... on ChangeSetAppended {
        settings {
          ...Settings_settings
        }
      }
    }
  }
`;
