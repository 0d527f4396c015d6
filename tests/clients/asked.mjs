// What the test asks for, one JSON object on the standard input; what was seen, a JSON line each.
import { json } from "node:stream/consumers";

export const asked = await json(process.stdin);
export const authorization = `Bearer ${asked.token}`;
export const say = (seen) => console.log(JSON.stringify(seen));
