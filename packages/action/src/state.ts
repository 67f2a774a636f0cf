/** What the step leaves for its end. */
export const Left = { FOLDER: "folder", MARK: "mark", ENDPOINT: "endpoint", IS_OVER: "isOver" } as const;
