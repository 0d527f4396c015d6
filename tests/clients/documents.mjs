// What every client asks, and where it is in the feed.
import { asked } from "./asked.mjs";

export const SETTINGS = `
  query Settings($key: String!) {
    environment(key: $key) { id position settings { id assignedTasks { id enabled } } }
  }`;

export const CHANGE = `
  mutation Change($key: String!, $enabled: Boolean!) {
    changeSettings(input: {environmentKey: $key, changes: [{assignedTasks: {enabled: $enabled}}]}) {
      __typename
      ... on SettingsChanged { changeSet { position } settings { id assignedTasks { id enabled } } }
    }
  }`;

export const FEED = `
  subscription Feed($key: String!, $after: Int) {
    settingsFeed(environmentKey: $key, after: $after) {
      __typename
      position
      ... on ChangeSetAppended { changeSet { firstPosition } }
    }
  }`;

export const seen = { position: null };

// A client that connects again reads these again, so it goes on after what was seen.
export const afterWhatWasSeen = {
  key: asked.key,
  get after() {
    return seen.position;
  },
};
