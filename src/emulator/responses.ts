import { newId } from './random.ts';

/** A response before serialization. */
export interface EmulatedResponse {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An error response of the service. */
export interface EmulatedError {
  readonly status: number;
  readonly errorCode: string;
  readonly errorMsg: string;
}

/** Returns an error response with a request ID, which the front gateway adds. */
export function errorResponse({ status, errorCode, errorMsg }: EmulatedError): EmulatedResponse {
  return { status, body: { error_code: errorCode, error_msg: errorMsg, request_id: newId() } };
}

/** Returns a 400 for an invalid parameter or field, worded as in the documentation's example. */
export function invalidParameterResponse(name: string): EmulatedResponse {
  const errorMsg = `Invalid parameter value,parameterName:${name}. Please refer to the support documentation`;
  return errorResponse({ status: 400, errorCode: 'APIG.2011', errorMsg });
}

/** Returns the front gateway's response to an unknown path. */
export function unknownApiResponse(): EmulatedResponse {
  return errorResponse({
    status: 404,
    errorCode: 'APIG.0101',
    errorMsg: 'The API does not exist or has not been published in the environment',
  });
}
