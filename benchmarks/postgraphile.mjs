// PostGraphile 5 as it is run in production: the Amber preset, no GraphiQL, no watching, no explain, no mutations,
// prepared statements (its default), answers written as text. PEER_WORKERS > 1 makes a node cluster.
// Environment: PEER_URL (database), PEER_PORT, PEER_WORKERS, PEER_POOL, PEER_OUT_AS_TEXT.
import cluster from "node:cluster";
import { createServer } from "node:http";

const workers = Number(process.env.PEER_WORKERS ?? 1);

if (workers > 1 && cluster.isPrimary) {
  for (let started = 0; started < workers; started++) cluster.fork();
  process.on("SIGTERM", () => process.exit(0));
} else {
  const { postgraphile } = await import("postgraphile");
  const { PostGraphileAmberPreset } = await import("postgraphile/presets/amber");
  const { makePgService } = await import("postgraphile/adaptors/pg");
  const { grafserv } = await import("postgraphile/grafserv/node");

  const preset = {
    extends: [PostGraphileAmberPreset],
    pgServices: [
      makePgService({
        connectionString: process.env.PEER_URL,
        schemas: ["pgl"],
        poolConfig: { max: Number(process.env.PEER_POOL ?? 10) },
      }),
    ],
    disablePlugins: ["PgMutationCreatePlugin", "PgMutationUpdateDeletePlugin"],
    schema: { defaultBehavior: "+list -connection" },
    grafserv: {
      graphiql: false,
      graphiqlOnGraphQLGET: false,
      watch: false,
      outputDataAsString: process.env.PEER_OUT_AS_TEXT !== "0",
    },
    grafast: { explain: false },
  };
  const pgl = postgraphile(preset);
  const serv = pgl.createServ(grafserv);
  const server = createServer({ keepAliveTimeout: 30_000 });
  server.on("error", (error) => {
    console.error(error);
    process.exit(1);
  });
  await serv.addTo(server);
  if (process.env.PEER_PRINT) {
    const { printSchema } = await import("graphql");
    console.log(printSchema(await pgl.getSchema()));
    process.exit(0);
  }
  server.listen(Number(process.env.PEER_PORT), "127.0.0.1");
}
