import { newId } from './new-id.ts';

/** What the service answers, before it is written. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Why the service refuses a call. */
export interface Refusal {
  readonly status: number;
  readonly errorCode: string;
  readonly errorMsg: string;
}

/** Returns an error answer with a request ID, as the front gateway adds it. */
export function refusal({ status, errorCode, errorMsg }: Refusal): Answer {
  return { status, body: { error_code: errorCode, error_msg: errorMsg, request_id: newId() } };
}

/** Returns the page's own example of a 400, for the parameter or field that is wrong. */
export function wrongParameter(name: string): Answer {
  const errorMsg = `Invalid parameter value,parameterName:${name}. Please refer to the support documentation`;
  return refusal({ status: 400, errorCode: 'APIG.2011', errorMsg });
}

/** Returns what the front gateway says to an address that it does not know. */
export function wrongAddress(): Answer {
  return refusal({ status: 404, errorCode: 'APIG.0101', errorMsg: 'The API does not exist or has not been published in the environment' });
}
