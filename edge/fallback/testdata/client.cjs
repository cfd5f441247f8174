// pusher-js in Node, over one of its HTTP transports. It tells line by line what happens, each a JSON array.
const [library, port, key, transport, options] = process.argv.slice(2);
const Pusher = require(library);
const tell = (...what) => process.stdout.write(JSON.stringify(what) + "\n");

const pusher = new Pusher(key, {
  cluster: "",
  httpHost: "127.0.0.1",
  httpPort: Number(port),
  forceTLS: false,
  enabledTransports: [transport],
  ...JSON.parse(options),
});
pusher.connection.bind("state_change", ({ current }) => tell("state", current));
pusher.connection.bind("error", ({ error }) => tell("error", error?.data?.code ?? error?.type ?? "unknown"));
const channel = pusher.subscribe("there");
channel.bind("pusher:subscription_succeeded", () => tell("subscribed"));
channel.bind("e", ({ n, text }) => tell("event", n, text.length));
process.stdin.on("data", () => pusher.disconnect());
process.stdin.on("end", () => process.exit());
