/** Reading task files where no client is: of a repository, by its path and the commit. */
import type { Create } from "../launch/launch.ts";
import type { Git } from "../task/inputs.ts";

/** What a file says, and what its working folder is a part of. */
export interface TaskFile {
  readonly text: string;
  /** As people write it, for messages. */
  readonly path: string;
  /** The repository at the commit: the working folder, where the file names one that is in it. */
  readonly source?: Git | undefined;
}

export interface TaskFiles {
  /**
   * What a file of one task launches.
   * @throws MusterError `invalid_request` with every issue; `unsupported` for what nobody can do where no client is: files that
   * would have to be sent, and values that only somebody who is there could give.
   */
  read(file: TaskFile): Create;
}
