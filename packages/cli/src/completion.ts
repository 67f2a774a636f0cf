/** Completion scripts, written out from the tree of commands: they call nothing, so that a key press costs nothing. */
import type { Command } from "commander";

export const shells = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof shells)[number];

interface Entry {
  /** `local start`, or empty for the program itself. */
  readonly path: string;
  readonly summary: string;
  readonly flags: readonly { readonly long: string; readonly short?: string | undefined; readonly text: string }[];
  readonly children: readonly { readonly name: string; readonly summary: string }[];
}

/** The script for a shell. */
export function script(shell: Shell, program: Command): string {
  const entries = flatten(program, "");
  const write = { bash, zsh, fish }[shell];
  return `${write(entries)}\n`;
}

function flatten(command: Command, path: string): Entry[] {
  const children = command.commands.map(child => ({ name: child.name(), summary: child.description() }));
  const flags = command.options.flatMap(({ long, short, description }) =>
    long ? [{ long, short: short ?? undefined, text: description }] : [],
  );
  const entry = { path, summary: command.description(), flags, children };
  return [entry, ...command.commands.flatMap(child => flatten(child, `${path} ${child.name()}`.trim()))];
}

const words = ({ flags, children }: Entry): string =>
  [...children.map(child => child.name), ...flags.map(flag => flag.long), "--help"].join(" ");

function bash(entries: readonly Entry[]): string {
  const cases = entries.map(entry => `    "${entry.path}") words="${words(entry)}" ;;`);
  const paths = entries.filter(({ path }) => path !== "").map(({ path }) => `"${path}"`);
  const groups = entries.filter(({ children }) => children.length > 0).map(({ path }) => `"${path}"`);
  return `# eval "$(muster completion bash)"
_muster() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" word words
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${path:+$path }$word" in ${paths.join("|")}) path="\${path:+$path }$word" ;; esac
  done
  case "$path" in
${cases.join("\n")}
  esac
  COMPREPLY=()
  case "$path" in ${groups.join("|")}) COMPREPLY=($(compgen -W "$words" -- "$current")) ;; esac
  if [[ "$current" == -* ]]; then COMPREPLY=($(compgen -W "$words" -- "$current")); fi
}
complete -o default -F _muster muster`;
}

function zsh(entries: readonly Entry[]): string {
  const cases = entries.map(entry => {
    const commands = entry.children.map(({ name, summary }) => `'${name}:${escaped(summary)}'`);
    const flags = entry.flags.map(({ long, text }) => `'${long}:${escaped(text)}'`);
    return `    "${entry.path}") commands=(${commands.join(" ")}); flags=(${flags.join(" ")}) ;;`;
  });
  const paths = entries.filter(({ path }) => path !== "").map(({ path }) => `"${path}"`);
  return `#compdef muster
# eval "$(muster completion zsh)"
_muster() {
  local path_="" word; local -a commands flags
  for word in "\${words[@]:1:CURRENT-2}"; do
    case "\${path_:+$path_ }$word" in ${paths.join("|")}) path_="\${path_:+$path_ }$word" ;; esac
  done
  case "$path_" in
${cases.join("\n")}
  esac
  if [[ "\${words[CURRENT]}" == -* ]]; then _describe option flags
  elif (( \${#commands} )); then _describe command commands
  else _files; fi
}
compdef _muster muster`;
}

function fish(entries: readonly Entry[]): string {
  const lines = entries.flatMap(({ path, flags, children }) => {
    const when = condition(path, children);
    const commands = children.map(
      ({ name, summary }) => `complete -c muster -f -n '${when}' -a ${name} -d '${escaped(summary)}'`,
    );
    const options = flags.map(({ long, short, text }) => {
      const letter = short === undefined ? "" : ` -s ${short.slice(1)}`;
      return `complete -c muster -n '${when}' -l ${long.slice(2)}${letter} -d '${escaped(text)}'`;
    });
    return [...commands, ...options];
  });
  return ["# muster completion fish | source", ...lines].join("\n");
}

/** When a line of fish's applies: in this command, and in none below it. */
function condition(path: string, children: Entry["children"]): string {
  if (path === "") return "__fish_use_subcommand";
  const seen = path.split(" ").map(word => `__fish_seen_subcommand_from ${word}`);
  const below = children.map(child => child.name).join(" ");
  return [...seen, ...(below === "" ? [] : [`not __fish_seen_subcommand_from ${below}`])].join("; and ");
}

const escaped = (text: string): string => text.replaceAll("'", "’").replaceAll(":", " -");
