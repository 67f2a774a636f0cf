/// <reference path="../../../.sst/platform/config.d.ts" />

/** The real config with one fact broken: the one that MUSTER_BREAK names. */
export default $config({
  async app(input) {
    const { default: real } = await import("../../../sst.config.ts");
    return real.app(input);
  },
  async run() {
    const { default: real } = await import("../../../sst.config.ts");
    const { breaks } = await import("./breaks.ts");
    const broken = breaks[process.env.MUSTER_BREAK ?? ""];
    if (broken === undefined) throw new Error(`nothing to break is called ${process.env.MUSTER_BREAK}`);
    const { at, change, options, link, forgets, adds } = broken;

    $util.runtime.registerStackTransformation(({ type, name, props, opts }) => {
      if (at === undefined || type !== `aws:${at[0]}` || name !== at[1]) return undefined;
      change?.(props, (value, lifted) => $output(value as string).apply(known => lifted(known as never)));
      return { props, opts: { ...opts, ...options } };
    });
    if (forgets !== undefined)
      $transform(sst.aws.Function, (args, _, name) => {
        if (name === forgets) args.link = $output(args.link ?? []).apply(links => links.slice(0, 1));
      });
    if (link !== undefined) {
      const [name, instead] = link;
      const said = sst.Linkable.prototype.getSSTLink;
      sst.Linkable.prototype.getSSTLink = function (this: InstanceType<typeof sst.Linkable>) {
        const definition = said.call(this);
        // What it is called is private, and its getter gives an output, which comes too late here.
        return Reflect.get(this, "_name") === name
          ? { ...definition, properties: { ...definition.properties, ...instead } }
          : definition;
      };
    }
    if (adds === "open-group")
      new aws.ec2.SecurityGroup("Open", {
        ingress: [{ protocol: "tcp", fromPort: 22, toPort: 22, cidrBlocks: ["0.0.0.0/0"] }],
      });
    return real.run();
  },
});
