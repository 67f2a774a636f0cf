/** Steps that take a while: one live line with a spinner on a terminal, plain lines elsewhere. */
import { duration } from "./format.ts";
import type { Output } from "./output.ts";

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"] as const;
const FRAME_MS = 80;
/** Without a terminal, a state is worth a line of its own once it has lasted this long. */
const PATIENCE_MS = 5000;

export interface Step extends Disposable {
  /** What is going on right now. */
  show(text: string): void;
  /** Ends the step well. */
  done(text: string): void;
  /** Ends the step badly. */
  fail(text: string): void;
  /** Ends the step with nothing said. */
  clear(): void;
}

/** A step named by its subject, such as `cluster demo`; it counts the time from here. */
export function step(out: Output, subject: string): Step {
  const begun = performance.now();
  const took = (): string => out.style("dim", duration(performance.now() - begun));
  const pulse = out.live ? spinner(out, subject, begun) : patience(out, subject, begun);
  const end = (mark: string, text: string): void => {
    pulse.stop();
    out.note(`${mark} ${subject}  ${text}  ${took()}`);
  };
  return {
    show: pulse.show,
    done: text => end(out.style("green", "✓"), text),
    fail: text => end(out.style("red", "✗"), text),
    clear: pulse.stop,
    [Symbol.dispose]: pulse.stop,
  };
}

interface Pulse {
  show(text: string): void;
  stop(): void;
}

function spinner(out: Output, subject: string, begun: number): Pulse {
  const state = { text: "", frame: 0, over: false };
  const draw = (): void => {
    const line = `${subject}  ${state.text}  ${duration(performance.now() - begun)}`;
    out.redraw(`${out.style("cyan", FRAMES[state.frame % FRAMES.length] ?? "")} ${line.slice(0, out.columns() - 3)}`);
  };
  const timer = setInterval(() => {
    state.frame += 1;
    draw();
  }, FRAME_MS).unref();
  return {
    show: text => {
      state.text = text;
      if (!state.over) draw();
    },
    stop: () => {
      clearInterval(timer);
      if (!state.over) out.redraw("");
      state.over = true;
    },
  };
}

function patience(out: Output, subject: string, begun: number): Pulse {
  const waiting: { timer?: NodeJS.Timeout; text: string } = { text: "" };
  return {
    show: text => {
      if (text === waiting.text) return;
      clearTimeout(waiting.timer);
      waiting.text = text;
      const say = (): void => out.note(`- ${subject}  ${text}  ${duration(performance.now() - begun)}`);
      waiting.timer = setTimeout(say, PATIENCE_MS).unref();
    },
    stop: () => clearTimeout(waiting.timer),
  };
}
