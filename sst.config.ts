/// <reference path="./.sst/platform/config.d.ts" />

export default $config({
  async app({ stage }) {
    // SST allows no imports at the top of this file.
    const { read } = await import("./stacks/options.ts");
    const { region, tags } = read(process.env);
    const name = "muster";
    const production = stage === "production";
    return {
      name,
      home: "aws",
      removal: production ? "retain" : "remove",
      protect: production,
      providers: {
        aws: { region, defaultTags: { tags: { ...tags, "muster:deployment": `${name}-${stage}` } } },
        random: "4.16.6",
      },
    };
  },
  async run() {
    const { main } = await import("./stacks/main.ts");
    return main();
  },
});
