/**
 * Plain scalars as YAML 1.1 has them, and their text as a script sees it.
 *
 * Task files are written for launchers in Python, so `yes` is true, `007` is 7 and `1e-5` is text;
 * environment variables get what Python's str() gives: "True", "7", "1.5".
 */
import type { Scalar } from "./tree.ts";

const NULL = /^(?:~|null|Null|NULL|)$/;
const TRUE = /^(?:yes|Yes|YES|true|True|TRUE|on|On|ON)$/;
const FALSE = /^(?:no|No|NO|false|False|FALSE|off|Off|OFF)$/;
const BINARY = /^[-+]?0b[0-1_]+$/;
const OCTAL = /^[-+]?0[0-7_]+$/;
const DECIMAL = /^[-+]?(?:0|[1-9][0-9_]*)$/;
const HEX = /^[-+]?0x[0-9a-fA-F_]+$/;
const BASE_60 = /^[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+$/;
const BASE_60_FLOAT = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*$/;
const FLOAT = /^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?)$/;
const INFINITE = /^[-+]?\.(?:inf|Inf|INF)$/;
const NOT_A_NUMBER = /^\.(?:nan|NaN|NAN)$/;
/** Numbers to YAML 1.2 and to Oumi's loader, text to YAML 1.1. */
const EXPONENT = /^[-+]?[0-9]+(?:_[0-9]+)*(?:\.[0-9_]*)?[eE][-+]?[0-9]+$/;

const bare = (text: string): string => text.replace(/^[-+]/, "").replaceAll("_", "");
const negative = (text: string): boolean => text.startsWith("-");

/** An integer's exact value; undefined when the text is not an integer. */
function integer(text: string): bigint | undefined {
  const digits = bare(text);
  const size = magnitude(text, digits);
  if (size === undefined) return undefined;
  return negative(text) ? -size : size;
}

function magnitude(text: string, digits: string): bigint | undefined {
  if (BINARY.test(text)) return digits === "0b" ? undefined : BigInt(digits);
  if (HEX.test(text)) return digits === "0x" ? undefined : BigInt(digits);
  if (OCTAL.test(text)) return digits === "0" ? 0n : BigInt(`0o${digits.slice(1)}`);
  if (DECIMAL.test(text)) return BigInt(digits);
  if (BASE_60.test(text)) {
    return digits.split(":").reduce((total, part) => total * 60n + BigInt(part), 0n);
  }
  return undefined;
}

function float(text: string): number | undefined {
  if (INFINITE.test(text)) return negative(text) ? -Infinity : Infinity;
  if (NOT_A_NUMBER.test(text)) return Number.NaN;
  if (FLOAT.test(text)) return Number.parseFloat(text.replaceAll("_", ""));
  if (!BASE_60_FLOAT.test(text)) return undefined;
  const size = bare(text).split(":");
  const total = size.reduce((sum, part) => sum * 60 + Number(part), 0);
  return negative(text) ? -total : total;
}

/** The value of a plain scalar. */
export function resolve(text: string): Scalar["value"] {
  if (NULL.test(text)) return null;
  if (TRUE.test(text)) return true;
  if (FALSE.test(text)) return false;
  const whole = integer(text);
  return whole === undefined ? (float(text) ?? text) : Number(whole);
}

/** A scalar as the text of an environment variable. `exponents`: read `1e-5` as a number, as Oumi does. */
export function spell(scalar: Scalar, exponents = false): string {
  const { value, text, plain } = scalar;
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "number") return integer(text)?.toString() ?? spellFloat(value);
  if (exponents && plain && EXPONENT.test(text)) return spellFloat(Number.parseFloat(text.replaceAll("_", "")));
  return text;
}

function spellFloat(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value < 0 ? "-inf" : "inf";
  const [digits = "", exponent = "0"] = value.toExponential().split("e");
  const power = Number(exponent);
  if (power < -4 || power >= 16) {
    return `${digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  }
  const sign = Object.is(value, -0) ? "-" : "";
  return Number.isInteger(value) ? `${sign}${value}.0` : String(value);
}
