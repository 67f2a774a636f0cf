import { read } from "/work/main/packages/task/src/read.ts";
const cases: Record<string,string> = {
 flow: "[".repeat(20000), flowmap: "{a: ".repeat(20000), block: "- ".repeat(20000), block256: "- ".repeat(131000), q: "? ".repeat(20000), flow256: "[".repeat(262000),
 indent: Array.from({length: 700},(_, i)=>" ".repeat(i)+"a:").join("\n"),
 bomb: Array.from({length:9},(_, l)=>`k${l}: &l${l} [${Array(9).fill(l===0?"boom":`*l${l-1}`).join(",")}]`).join("\n"),
 bombmerge: "a: &a {x: 1}\n"+Array.from({length:40},(_, l)=>`k${l}: &l${l} {<<: [*a, *a]}`).join("\n"),
 keys: Array.from({length:30000},(_, i)=>`kez${i}: 1`).join("\n"),
 keysdup: "run: x\n".repeat(37000),
 list: "a:\n"+"- b\n".repeat(60000),
 comments: "# x\n".repeat(60000),
 docs: "---\na: 1\n".repeat(25000),
 anchors: "a: [" + Array.from({length:20000},(_, i)=>`&a${i} x`).join(",")+"]",
 colons: "a".repeat(100)+": b: ".repeat(50000),
 quotes: "'".repeat(260000), dq: "\"\\".repeat(130000),
 long: "x".repeat(100_000_000),
 envs: "envs:\n"+Array.from({length:20000},(_, i)=>` A${i}: 1`).join("\n"),
 mounts: "file_mounts:\n"+Array.from({length:15000},(_, i)=>` /a${i}: s3://`).join("\n"),
 tabs: "\t".repeat(260000), newlines:"\n".repeat(260000), nl2:"a:\n"+" \n".repeat(130000),
 labels: "resources: {labels: {"+Array.from({length:20000},(_, i)=>`a${i}: b`).join(",")+"}}",
 acc: "resources: {accelerators: ["+Array.from({length:20000},(_, i)=>`a${i}`).join(",")+"]}",
 anyof: "resources: {any_of: ["+Array.from({length:20000},(_, i)=>`{cpus: 1}`).join(",")+"]}",
 vars: "envs: {A: x}\nworkdir: "+"$A".repeat(100000),
 secretsub: "envs: {A: "+"x".repeat(30000)+"}\nworkdir: "+"$A".repeat(100000),
 pk: "packages: ["+Array.from({length:20000},(_, i)=>`pip:a`).join(",")+"]",
};
for (const round of [0,1]) for (const [k, v] of Object.entries(cases)) {
  const c = process.cpuUsage(); const t=performance.now(); let m="ok";
  try { read(v) } catch (e: any) { m = e.message.slice(0,90).replaceAll("\n","|") }
  const u = process.cpuUsage(c);
  if (round) console.log(k.padEnd(10), ((u.user+u.system)/1000).toFixed(0).padStart(6),"ms", (performance.now()-t).toFixed(0).padStart(6), m);
}
