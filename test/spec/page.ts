/**
 * The documentation page of the API, row by row: "Service Integration APIs > API Management > Publishing an API or Taking an API
 * Offline", updated 2023-06-29. Copied by hand: everything made from the specification is compared with it.
 */

interface Row {
  readonly name: string;
  readonly type: 'String';
  /** The first sentence of the description on the page. */
  readonly description: string;
}

interface RequestRow extends Row {
  readonly mandatory: 'Yes' | 'No';
}

/** "URI". */
export const uri = 'POST /v2/{project_id}/apic/instances/{instance_id}/apis/action';

/** "Table 1 Path Parameters". */
export const pathParameters: readonly RequestRow[] = [
  { name: 'project_id', mandatory: 'Yes', type: 'String', description: 'Project ID.' },
  { name: 'instance_id', mandatory: 'Yes', type: 'String', description: 'Instance ID.' },
];

/** "Table 2 Request header parameters". */
export const headerParameters: readonly RequestRow[] = [
  {
    name: 'X-Auth-Token',
    mandatory: 'Yes',
    type: 'String',
    description: 'User token, which can be obtained by calling the IAM API (value of X-Subject-Token in the response header).',
  },
];

/** "Table 3 Request body parameters". */
export const requestFields: readonly RequestRow[] = [
  { name: 'action', mandatory: 'Yes', type: 'String', description: 'Required action.' },
  { name: 'api_id', mandatory: 'Yes', type: 'String', description: 'ID of the API to be published or taken offline.' },
  { name: 'env_id', mandatory: 'Yes', type: 'String', description: 'ID of the environment to which the API is to be published.' },
  { name: 'remark', mandatory: 'No', type: 'String', description: 'Description of the publish action.' },
];

/** Table 3 on `action`: "online: Publish; offline: Take offline". */
export const actions = ['online', 'offline'] as const;

/** Table 3 on `remark`: "The value can contain a maximum of 255 characters." */
export const remarkLength = 255;

/** "Table 4 Response body parameters", for 201. */
const publicationFields: readonly Row[] = [
  { name: 'publish_id', type: 'String', description: 'Publication record ID.' },
  { name: 'api_id', type: 'String', description: 'API ID.' },
  { name: 'api_name', type: 'String', description: 'API name.' },
  { name: 'env_id', type: 'String', description: 'ID of the environment in which the API has been published.' },
  { name: 'remark', type: 'String', description: 'Description about the publication.' },
  { name: 'publish_time', type: 'String', description: 'Time when the API is published.' },
  { name: 'version_id', type: 'String', description: 'API version currently in use.' },
];

/** "Table 5" to "Table 9", for all others. */
const errorFields: readonly Row[] = [
  { name: 'error_code', type: 'String', description: 'Error code.' },
  { name: 'error_msg', type: 'String', description: 'Error description.' },
];

/** "Example Requests". */
export const exampleRequest = {
  action: 'online',
  api_id: '5f918d104dc84480a75166ba99efff21',
  env_id: 'DEFAULT_ENVIRONMENT_RELEASE_ID',
} as const;

/** "Response Parameters", "Example Responses" and "Status Codes". */
export const answers = [
  {
    status: 201,
    phrase: 'Created',
    fields: publicationFields,
    example: {
      api_id: '5f918d104dc84480a75166ba99efff21',
      env_id: 'DEFAULT_ENVIRONMENT_RELEASE_ID',
      publish_id: '9191cdb430724d4b8586ed7f1b962ca2',
      publish_time: '2020-08-03T01:36:00.592970615Z',
      version_id: 'ee1a5a38d3d3493abf1dc4ed6cacfa0b',
      remark: '',
    },
  },
  {
    status: 400,
    phrase: 'Bad Request',
    fields: errorFields,
    example: {
      error_code: 'APIG.2011',
      error_msg: 'Invalid parameter value,parameterName:action. Please refer to the support documentation',
    },
  },
  {
    status: 401,
    phrase: 'Unauthorized',
    fields: errorFields,
    example: { error_code: 'APIG.1002', error_msg: 'Incorrect token or token resolution failed' },
  },
  {
    status: 403,
    phrase: 'Forbidden',
    fields: errorFields,
    example: { error_code: 'APIG.1005', error_msg: 'No permissions to request this method' },
  },
  {
    status: 404,
    phrase: 'Not Found',
    fields: errorFields,
    example: { error_code: 'APIG.3002', error_msg: 'API 5f918d104dc84480a75166ba99efff21 does not exist' },
  },
  {
    status: 500,
    phrase: 'Internal Server Error',
    fields: errorFields,
    example: { error_code: 'APIG.9999', error_msg: 'System error' },
  },
] as const;
