// The only script of ours on the page. It gives GraphiQL its way to the service and keeps tokens out
// of the browser's storage unless the person has chosen otherwise.
"use strict";

const ENDPOINT = "/graphql";

const FIRST_QUERY = `# A token goes after Bearer in Headers below; then re-fetch the schema (Shift-Ctrl-R).
query {
  viewer { principal { id } }
  environments { nodes { key name } }
}
`;

const FIRST_HEADERS = `{
  "Authorization": "Bearer "
}`;

// A socket says who is asking once, when it opens: a client for each call follows the headers as
// they are edited. It connects only when the call is a subscription.
function fetcher(request, options) {
  const headers = options?.headers ?? {};
  const name = Object.keys(headers).find((each) => each.toLowerCase() === "authorization");
  const socket = new URL(ENDPOINT, location.href);
  socket.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  const wsClient = graphqlWs.createClient({
    url: socket.href,
    connectionParams: name ? { authorization: headers[name] } : {},
  });
  return GraphiQL.createFetcher({ url: ENDPOINT, wsClient })(request, options);
}

function headersAreKept() {
  return localStorage.getItem("graphiql:shouldPersistHeaders") === "true";
}

// GraphiQL forgets them itself while it loads, but for those it stores with its tabs.
function keptHeaders() {
  const stored = JSON.parse(localStorage.getItem("graphiql:tabState"));
  return headersAreKept() ? stored?.tabs[stored.activeTabIndex]?.headers : null;
}

// GraphiQL's history would store the headers of every call, whatever was chosen in its settings: here
// it never does.
const storage = {
  get length() {
    return localStorage.length;
  },
  getItem: (key) => localStorage.getItem(key),
  removeItem: (key) => localStorage.removeItem(key),
  clear() {
    const ours = Object.keys(localStorage).filter((key) => key.startsWith("graphiql:"));
    ours.forEach((key) => localStorage.removeItem(key));
  },
  setItem(key, text) {
    const isHistory = key === "graphiql:queries" || key === "graphiql:favorites";
    const without = (name, value) => (name === "headers" ? undefined : value);
    localStorage.setItem(key, isHistory ? JSON.stringify(JSON.parse(text, without)) : text);
  },
};

ReactDOM.render(
  React.createElement(GraphiQL, {
    fetcher,
    storage,
    defaultQuery: FIRST_QUERY,
    defaultHeaders: FIRST_HEADERS,
    headers: keptHeaders(),
    defaultEditorToolsVisibility: "headers",
    shouldPersistHeaders: headersAreKept() || undefined, // false would take the choice away
  }),
  document.getElementById("graphiql"),
);
