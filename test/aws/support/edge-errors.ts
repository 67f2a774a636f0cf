/** Answers, and errors as each of AWS's protocols spells them. */
import type { IncomingHttpHeaders } from "node:http";
import type { Call, Protocol } from "./edge-identify.ts";

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What a gap throws to answer with an error of AWS. */
export class AwsError extends Error {
  readonly code: string;
  readonly status: number;
  /** Further fields of the answer, for the JSON protocols. */
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, status = 400, fields: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.code = code;
    this.status = status;
    this.fields = fields;
  }
}

const REQUEST_ID = "00000000-0000-4000-8000-000000000000";

export function errorReply({ protocol }: Pick<Call, "protocol">, error: AwsError): Reply {
  const { type, text } = bodies[protocol](error);
  return {
    status: error.status,
    headers: { "content-type": type, "x-amzn-errortype": error.code, "x-amzn-requestid": REQUEST_ID },
    body: Buffer.from(text),
  };
}

const bodies: Readonly<Record<Protocol, (error: AwsError) => { type: string; text: string }>> = {
  json: ({ code, message, fields }) => ({
    type: "application/x-amz-json-1.0",
    text: JSON.stringify({ __type: `com.amazonaws#${code}`, message, Message: message, ...fields }),
  }),
  rest: ({ code, message }) => ({ type: "application/json", text: JSON.stringify({ Type: "User", code, message }) }),
  ec2: error => ({
    type: "text/xml",
    text: `${XML}<Response><Errors>${xmlOf(error)}</Errors><RequestID>${REQUEST_ID}</RequestID></Response>`,
  }),
  query: error => ({
    type: "text/xml",
    text: `${XML}<ErrorResponse>${xmlOf(error)}<RequestId>${REQUEST_ID}</RequestId></ErrorResponse>`,
  }),
  s3: ({ code, message }) => ({
    type: "application/xml",
    text: `${XML}<Error><Code>${code}</Code><Message>${escaped(message)}</Message><RequestId>${REQUEST_ID}</RequestId></Error>`,
  }),
};

const XML = '<?xml version="1.0" encoding="UTF-8"?>\n';
const xmlOf = ({ code, message }: AwsError) =>
  `<Error><Type>Sender</Type><Code>${code}</Code><Message>${escaped(message)}</Message></Error>`;
const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
