// One client follows the feed to a position and says what it hears, whatever happens to its line.
import { asked, say } from "./asked.mjs";
import { seen } from "./documents.mjs";

const { follow } = await import(`./${asked.client}.mjs`);

for await (const { data, errors } of follow()) {
  if (errors) throw new Error(JSON.stringify(errors));
  seen.position = data.settingsFeed.position;
  say(data.settingsFeed);
  if (seen.position >= asked.until) break;
}
