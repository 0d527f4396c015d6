// One client asks, follows the feed, makes a change as soon as it hears from it, and asks again.
import { asked, say } from "./asked.mjs";
import { CHANGE, SETTINGS } from "./documents.mjs";

const { query, mutate, follow } = await import(`./${asked.client}.mjs`);
const { key } = asked;

const before = await query(SETTINGS, { key });
const fed = [];
let changed = null;
for await (const answer of follow()) {
  fed.push(answer.data.settingsFeed);
  if (fed.length === 2) break;
  changed = await mutate(CHANGE, { key, enabled: true });
}
const after = await query(SETTINGS, { key });
const refused = await query(SETTINGS, { key: "NO KEY" });
say({ before, fed, changed, after, refused });
