import { newId } from './random.ts';

/** What the service answers, before it is written. */
export interface EmulatedResponse {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Why the service refuses a call. */
export interface EmulatedError {
  readonly status: number;
  readonly errorCode: string;
  readonly errorMsg: string;
}

/** Returns an error answer with a request ID, as the front gateway adds it. */
export function errorResponse({ status, errorCode, errorMsg }: EmulatedError): EmulatedResponse {
  return { status, body: { error_code: errorCode, error_msg: errorMsg, request_id: newId() } };
}

/** Returns the page's own example of a 400, for the parameter or field that is wrong. */
export function invalidParameterResponse(name: string): EmulatedResponse {
  const errorMsg = `Invalid parameter value,parameterName:${name}. Please refer to the support documentation`;
  return errorResponse({ status: 400, errorCode: 'APIG.2011', errorMsg });
}

/** Returns what the front gateway says to an address that it does not know. */
export function unknownApiResponse(): EmulatedResponse {
  return errorResponse({
    status: 404,
    errorCode: 'APIG.0101',
    errorMsg: 'The API does not exist or has not been published in the environment',
  });
}
