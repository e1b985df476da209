import { newId } from './random.ts';

/** A response before serialization. */
export interface EmulatedResponse {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** The value of `X-Request-Id`, if the body has it too. */
  readonly requestId?: string;
}

/** An error response of the service. */
export interface EmulatedError {
  readonly status: number;
  readonly errorCode: string;
  readonly errorMsg: string;
}

/** The front gateway's codes. Only its errors have a `request_id` in the body: the documentation's examples of the service's own have none. */
const frontGatewayCode = /\.0\d{3}$/;

/** Returns an error response. */
export function errorResponse({ status, errorCode, errorMsg }: EmulatedError): EmulatedResponse {
  const body = { error_code: errorCode, error_msg: errorMsg };
  if (!frontGatewayCode.test(errorCode)) return { status, body };
  const requestId = newId();
  return { status, body: { ...body, request_id: requestId }, requestId };
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
