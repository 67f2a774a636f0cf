/**
 * Files that let whoever has them act as their owner. They travel as secrets, which nobody can read back, and not as
 * uploads, which stay for months. The list is of places that the programs' own manuals name.
 */
import { closeSync, openSync, readSync } from "node:fs";
import { homedir } from "node:os";
import { basename } from "node:path";

interface Known {
  /** Below HOME. */
  readonly path: string;
  /** How one gets it, as a command or a sentence. */
  readonly make?: string;
}

const KNOWN: readonly Known[] = [
  // curl's and Python's netrc manuals; `wandb login` writes its key there, says W&B's.
  { path: ".netrc", make: "wandb login writes it" },
  { path: "_netrc", make: "wandb login writes it on Windows" },
  // Hugging Face Hub, "Environment variables": HF_TOKEN_PATH; the second is where versions before 0.14 kept it.
  { path: ".cache/huggingface/token", make: "hf auth login writes it (huggingface-cli login, in older versions)" },
  { path: ".cache/huggingface/stored_tokens", make: "hf auth login writes it" },
  { path: ".huggingface/token", make: "huggingface-cli login writes it" },
  // W&B's settings file.
  { path: ".config/wandb/settings", make: "wandb login writes it" },
  // AWS CLI's user guide, "Configuration and credential file settings".
  { path: ".aws/credentials", make: "aws configure writes it" },
  // Kaggle API's README.
  { path: ".kaggle/kaggle.json", make: "on kaggle.com: Settings, API, Create New Token" },
  { path: ".config/kaggle/kaggle.json", make: "on kaggle.com: Settings, API, Create New Token" },
  // Docker's manual of `docker login`.
  { path: ".docker/config.json", make: "docker login writes it" },
  // Kubernetes, "Organizing Cluster Access Using kubeconfig Files".
  { path: ".kube/config", make: "the cluster's own tool writes it, such as aws eks update-kubeconfig" },
  // Google Cloud, "How Application Default Credentials works".
  {
    path: ".config/gcloud/application_default_credentials.json",
    make: "gcloud auth application-default login writes it",
  },
  // Git's manual of git-credential-store, which has both places.
  { path: ".git-credentials", make: "git config --global credential.helper store, then git fetch, writes it" },
  { path: ".config/git/credentials" },
  // GitHub CLI's manual of `gh auth login`.
  { path: ".config/gh/hosts.yml", make: "gh auth login writes it" },
  // npm's manual of npmrc, and Python's packaging specification of .pypirc.
  { path: ".npmrc", make: "npm login writes it" },
  { path: ".pypirc" },
  // PostgreSQL's manual, "The Password File".
  { path: ".pgpass" },
  // rclone's manual of its configuration file.
  { path: ".config/rclone/rclone.conf", make: "rclone config writes it" },
];

/** What ssh(1) names id_*, in any folder; the other half, with `.pub`, is for everybody to see. */
const PRIVATE_KEY = /^id_(rsa|dsa|ecdsa|ed25519)(_sk)?$/;
/** What lies in ~/.ssh and is no secret, by ssh(1) and sshd(8). */
const PUBLIC = /^(known_hosts(\.old)?|authorized_keys|.*\.pub)$/;
/** The dotenv convention: values of this machine; examples of it are made to be shown. */
const DOTENV = /^\.env(\.(?!example$|sample$|template$|dist$).+)?$/;
/** RFC 7468; the same endings are given to certificates, which are no secret. */
const PEM = /\.(pem|key)$/i;
const PEM_TEXT = "PRIVATE KEY-----";
const PEM_BYTES = 65_536;

/** Whether this file is one, by where it is or where it is to be on the host. */
export function isCredential(source: string, place: string, home = homedir()): boolean {
  return (
    isPlaceOfOne(below(source, home)) || isPlaceOfOne(below(place, home)) || (PEM.test(source) && holdsKey(source))
  );
}

/** Folders of which most of what is in them is credentials. */
const FOLDERS = new Set([".ssh", ".aws", ".kube", ".docker", ".kaggle", ".config/gcloud", ".config/gh"]);

/** Whether a folder is one whose files should rather be named one by one. */
export const isCredentialFolder = (path: string, home = homedir()): boolean => FOLDERS.has(below(path, home));

/** How to get the credentials that belong there; nothing for other files. */
export function howToMake(source: string, home = homedir()): string | undefined {
  const path = below(source, home);
  if (path.startsWith(".ssh/") && !PUBLIC.test(basename(path))) return "ssh-keygen writes it";
  return KNOWN.find(known => known.path === path)?.make;
}

/** The path below HOME, or as it is. */
function below(path: string, home: string): string {
  const start = ["~/", `${home}/`].find(one => path.startsWith(one)) ?? "";
  return path.slice(start.length);
}

function isPlaceOfOne(path: string): boolean {
  const name = basename(path);
  // The host's HOME may be written out.
  if (KNOWN.some(known => path === known.path || (path.startsWith("/") && path.endsWith(`/${known.path}`))))
    return true;
  if (/(^|\/)\.ssh\/[^/]+$/.test(path)) return !PUBLIC.test(name);
  return PRIVATE_KEY.test(name) || DOTENV.test(name);
}

function holdsKey(path: string): boolean {
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(PEM_BYTES);
    return bytes.subarray(0, readSync(file, bytes)).includes(PEM_TEXT);
  } finally {
    closeSync(file);
  }
}
